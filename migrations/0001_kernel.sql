-- {id}: a whole number that the database hands out, never twice. {bytes}: a string of bytes.
-- Times are microseconds since the Unix epoch.
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE events (
  id {id},
  name TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE jobs (
  id {id},
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'ready',
  unique_key TEXT UNIQUE,
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  worker TEXT,
  lease_until BIGINT,
  error TEXT,
  created_at BIGINT NOT NULL
);
CREATE INDEX jobs_ready ON jobs (state, run_at);
