CREATE TABLE topics (
  id {id},
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  description TEXT,
  created_at BIGINT NOT NULL
);

-- The same as the names in projects.topics, for looking up.
CREATE TABLE project_topics (
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  topic_id BIGINT NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
  PRIMARY KEY (project_id, topic_id)
);
CREATE INDEX project_topics_topic ON project_topics (topic_id);

-- What was last found on the default branch, in percent.
CREATE TABLE project_languages (
  project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  share DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (project_id, name_key)
);

CREATE INDEX projects_forked_from ON projects (forked_from_id);
CREATE INDEX badges_project ON badges (project_id);
CREATE INDEX badges_namespace ON badges (namespace_id);
CREATE INDEX uploads_project ON uploads (project_id);
CREATE INDEX redirects_namespace ON redirects (namespace_id);
CREATE INDEX redirects_project ON redirects (project_id);
