-- migrate:up
set local lock_timeout = '5s';

-- Since when neither the draft nor any version names a picture; null while one does.
alter table assets add column unused_since timestamptz;

grant update (unused_since) on assets to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
