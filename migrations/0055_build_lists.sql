-- The last runs of a job by its name, and the artifacts of a project.
CREATE INDEX builds_name ON builds (project_id, name, id);
CREATE INDEX build_artifacts_project ON build_artifacts (project_id, id);
