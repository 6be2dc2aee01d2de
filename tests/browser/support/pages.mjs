// Every page that is looked at as a whole: for pictures, for axe and for the console.

// Makes what the pages show; gives the numbers that their addresses need.
export async function prepare(world) {
  await world.sample('sample');
  const { server } = world;
  await server.api('POST', '/groups', { name: 'Mill', path: 'mill', visibility: 'public' });
  await server.api('POST', '/projects', { name: 'Empty', path: 'empty' });
  const path = await world.repository('piped-work', { 'README.md': '# Piped\n', '.gitlab-ci.yml': CI });
  await world.push(path, 'piped');
  const pipeline = await finished(server, 'root%2Fpiped');
  const jobs = await server.api('GET', `/projects/root%2Fpiped/pipelines/${pipeline}/jobs`);
  const [{ id: commit }] = await server.api('GET', '/projects/root%2Fsample/repository/commits');
  const named = (name) => jobs.find((job) => job.name === name).id;
  return { commit, pipeline, job: named('unit'), build: named('build') };
}

const CI = `stages: [build, test]
build:
  stage: build
  script:
    - mkdir out
    - echo made > out/result.txt
  artifacts:
    paths: [out/]
unit:
  stage: test
  needs: [build]
  script:
    - cat out/result.txt
    - printf '\\033[32mgreen\\033[0m and plain\\n'
lint:
  stage: test
  script: ["exit 3"]
  allow_failure: true
deploy:
  stage: .post
  when: manual
  script: ["echo deployed"]
`;

async function finished(server, project) {
  for (let attempt = 0; attempt < 300; attempt++) {
    const [pipeline] = await server.api('GET', `/projects/${project}/pipelines`);
    if (pipeline && ['success', 'failed', 'manual'].includes(pipeline.status)) return pipeline.id;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the pipeline of ${project} did not end within a minute`);
}

export function pages({ commit, pipeline, job, build }) {
  const sample = (rest) => `/root/sample/-/${rest}`;
  return [
    { name: 'sign-in', path: '/users/sign_in', visitor: true },
    { name: 'sign-up', path: '/users/sign_up', visitor: true },
    { name: 'explore', path: '/explore', visitor: true },
    { name: 'dashboard', path: '/' },
    { name: 'project', path: '/root/sample' },
    { name: 'project-empty', path: '/root/empty' },
    { name: 'project-new', path: '/projects/new' },
    { name: 'project-edit', path: sample('edit') },
    { name: 'project-members', path: sample('project_members') },
    { name: 'tree', path: sample('tree/main/src') },
    { name: 'blob', path: sample('blob/main/src/gauge.rs') },
    { name: 'blob-markdown', path: sample('blob/main/README.md') },
    { name: 'blob-csv', path: sample('blob/main/docs/levels.csv') },
    { name: 'blame', path: sample('blame/main/src/gauge.rs') },
    { name: 'file-edit', path: sample('edit/main/src/gauge.rs') },
    { name: 'file-new', path: sample('new/main') },
    { name: 'commits', path: sample('commits/main') },
    { name: 'commit', path: sample(`commit/${commit}`) },
    { name: 'branches', path: sample('branches') },
    { name: 'tags', path: sample('tags') },
    { name: 'compare', path: sample('compare/v1.0...main') },
    { name: 'network', path: sample('network/main') },
    { name: 'contributors', path: sample('graphs/main') },
    { name: 'upload', path: sample('upload/main') },
    { name: 'branch-new', path: sample('branches/new') },
    { name: 'tag-new', path: sample('tags/new') },
    { name: 'fork', path: sample('forks/new') },
    { name: 'protected', path: sample('settings/repository') },
    { name: 'find-file', path: sample('find_file/main') },
    { name: 'pipelines', path: '/root/piped/-/pipelines' },
    { name: 'pipeline', path: `/root/piped/-/pipelines/${pipeline}` },
    { name: 'pipeline-new', path: '/root/piped/-/pipelines/new' },
    { name: 'job', path: `/root/piped/-/jobs/${job}` },
    { name: 'jobs', path: '/root/piped/-/jobs' },
    { name: 'artifacts', path: `/root/piped/-/jobs/${build}/artifacts/browse` },
    { name: 'ci-lint', path: '/root/piped/-/ci/lint' },
    { name: 'ci-settings', path: '/root/piped/-/settings/ci_cd' },
    { name: 'group', path: '/mill' },
    { name: 'group-new', path: '/groups/new' },
    { name: 'group-members', path: '/groups/mill/-/group_members' },
    { name: 'group-edit', path: '/groups/mill/-/edit' },
    { name: 'user', path: '/root' },
    { name: 'search', path: '/search?search=sample' },
    { name: 'settings-profile', path: '/-/user_settings/profile' },
    { name: 'settings-account', path: '/-/user_settings/account' },
    { name: 'settings-password', path: '/-/user_settings/password/edit' },
    { name: 'settings-tokens', path: '/-/user_settings/personal_access_tokens' },
    { name: 'settings-keys', path: '/-/user_settings/ssh_keys' },
    { name: 'settings-sessions', path: '/-/user_settings/active_sessions' },
    { name: 'admin', path: '/admin' },
    { name: 'admin-users', path: '/admin/users' },
    { name: 'admin-projects', path: '/admin/projects' },
    { name: 'admin-groups', path: '/admin/groups' },
    { name: 'admin-jobs', path: '/admin/jobs' },
    { name: 'admin-runners', path: '/admin/runners' },
    { name: 'admin-settings', path: '/admin/settings' },
    { name: 'not-found', path: '/root/nothing-here' },
  ];
}
