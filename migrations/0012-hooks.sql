-- older-program: may-run
-- How the webhook of a unit came in the last time, of each kind of answer, is one look into an index.
CREATE INDEX events_of_hooks ON events (path, code) WHERE action = 'github-webhook';
CREATE INDEX deliveries_accepted ON deliveries (unit, received_at) WHERE verdict = 'accepted';
