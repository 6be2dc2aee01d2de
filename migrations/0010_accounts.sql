CREATE TABLE users (
  id {id},
  username TEXT NOT NULL,
  username_key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'active',
  admin BOOLEAN NOT NULL DEFAULT FALSE,
  external BOOLEAN NOT NULL DEFAULT FALSE,
  bot BOOLEAN NOT NULL DEFAULT FALSE,
  private_profile BOOLEAN NOT NULL DEFAULT FALSE,
  can_create_group BOOLEAN NOT NULL DEFAULT TRUE,
  projects_limit BIGINT NOT NULL DEFAULT 100000,
  bio TEXT NOT NULL DEFAULT '',
  location TEXT NOT NULL DEFAULT '',
  website_url TEXT NOT NULL DEFAULT '',
  linkedin TEXT NOT NULL DEFAULT '',
  twitter TEXT NOT NULL DEFAULT '',
  discord TEXT NOT NULL DEFAULT '',
  github TEXT NOT NULL DEFAULT '',
  job_title TEXT NOT NULL DEFAULT '',
  pronouns TEXT NOT NULL DEFAULT '',
  organization TEXT NOT NULL DEFAULT '',
  public_email TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  scheme TEXT NOT NULL DEFAULT 'system',
  avatar TEXT,
  failed_attempts BIGINT NOT NULL DEFAULT 0,
  locked_until BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  confirmed_at BIGINT,
  last_sign_in_at BIGINT,
  current_sign_in_at BIGINT,
  last_activity_at BIGINT,
  created_by BIGINT,
  sign_in_count BIGINT NOT NULL DEFAULT 0,
  current_sign_in_ip TEXT NOT NULL DEFAULT '',
  last_sign_in_ip TEXT NOT NULL DEFAULT ''
);

-- Addresses beside the first one, which is in users.
CREATE TABLE emails (
  id {id},
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  email TEXT NOT NULL UNIQUE,
  confirmed_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX emails_user ON emails (user_id);

CREATE TABLE user_statuses (
  user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  emoji TEXT NOT NULL,
  message TEXT NOT NULL,
  availability TEXT NOT NULL,
  clear_at BIGINT
);

CREATE TABLE user_preferences (
  user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  view_diffs_file_by_file BOOLEAN NOT NULL DEFAULT FALSE,
  show_whitespace_in_diffs BOOLEAN NOT NULL DEFAULT TRUE,
  pass_user_identities_to_ci_jwt BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE sessions (
  id {id},
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL UNIQUE,
  ip TEXT NOT NULL DEFAULT '',
  user_agent TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE access_tokens (
  id {id},
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  token_hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  revoked BOOLEAN NOT NULL DEFAULT FALSE,
  impersonation BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  expires_at BIGINT
);
CREATE INDEX access_tokens_user ON access_tokens (user_id);

CREATE TABLE ssh_keys (
  id {id},
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL UNIQUE,
  fingerprint_md5 TEXT NOT NULL DEFAULT '',
  usage_type TEXT NOT NULL DEFAULT 'auth_and_signing',
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  expires_at BIGINT
);
CREATE INDEX ssh_keys_user ON ssh_keys (user_id);

CREATE TABLE audit_events (
  id {id},
  author_id BIGINT NOT NULL,
  event TEXT NOT NULL,
  entity_type TEXT NOT NULL,
  entity_id BIGINT NOT NULL,
  details TEXT NOT NULL,
  ip TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
CREATE INDEX audit_events_entity ON audit_events (entity_type, entity_id);
