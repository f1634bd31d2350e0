"""The audit log of a workspace: who changed what, when, to what; read, filtered, taken away."""
