-- migrate:up
set local lock_timeout = '5s';

-- Whoever takes news locks its rows, so that two take different ones; PostgreSQL asks for the right
-- to update for that. Nobody updates them.
grant update (noted_at) on mirror_news to guichet_app;

-- migrate:down
-- Forward only: a mistake is mended by the next migration.
