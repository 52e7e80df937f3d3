-- older-program: may-run
-- When a hook let somebody not in the last time is one look into an index.
CREATE INDEX events_of_refused_hooks ON events (path) WHERE action = 'hook' AND code = 'HOOK_REFUSED';
