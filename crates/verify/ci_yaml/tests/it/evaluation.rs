use ci_yaml::{AllowFailure, NoFiles, NoPipeline, RefKind, When, parse};
use indoc::indoc;

use crate::support::{Event, plan, read};

fn value<'p>(job: &'p ci_yaml::JobSpec, key: &str) -> Option<&'p str> {
    job.variables.iter().find(|one| one.key == key).map(|one| one.value.as_str())
}

#[test]
fn the_first_rule_that_holds_counts() {
    let source = indoc! {"
        job:
          script: x
          variables: {OWN: here}
          rules:
            - if: $CI_COMMIT_BRANCH == 'skip'
              when: never
            - if: $OWN == 'here' && $MODE == 'late'
              when: delayed
              start_in: 1 hour
              allow_failure: true
              variables: {MORE: yes, OWN: changed}
            - if: $MODE == 'hand'
              when: manual
            - if: $MODE
        other: {script: x}
    "};
    let job = |mode: &str| {
        let plan = Event::default().variable("MODE", mode).plan(source).unwrap();
        plan.jobs.into_iter().find(|job| job.name == "job")
    };
    let late = job("late").unwrap();
    assert_eq!((late.when, late.start_in), (When::Delayed, Some(3600)));
    assert_eq!(late.allow_failure, AllowFailure::Yes);
    assert_eq!(value(&late, "OWN"), Some("changed"));
    assert_eq!(value(&late, "MORE"), Some("true"));
    let hand = job("hand").unwrap();
    assert_eq!((hand.when, hand.allow_failure), (When::Manual, AllowFailure::No));
    assert_eq!(job("other").unwrap().when, When::OnSuccess);
    assert!(job("").is_none());
    let skip = Event { reference: "skip", ..Event::default() }.variable("MODE", "late");
    assert_eq!(skip.jobs(source), ["other"]);
}

#[test]
fn manual_jobs_may_fail_unless_told() {
    let plan = plan("a: {script: x, when: manual}\nb: {script: x, when: manual, allow_failure: false}\n");
    assert_eq!(plan.jobs[0].allow_failure, AllowFailure::Yes);
    assert_eq!(plan.jobs[1].allow_failure, AllowFailure::No);
}

#[test]
fn changes_and_exists_look_at_files() {
    let source = indoc! {"
        docs: {script: x, rules: [{changes: ['docs/**/*', '$EXTRA']}]}
        image: {script: x}
        docker: {script: x, rules: [{exists: ['**/Dockerfile']}]}
    "};
    let source = &source.replace("image:", "always:");
    assert_eq!(Event::default().jobs(source), ["docs", "always"]);
    assert_eq!(Event::default().changed(&["src/a"]).jobs(source), ["always"]);
    assert_eq!(Event::default().changed(&["docs/x/y"]).jobs(source), ["docs", "always"]);
    let extra = Event::default().changed(&["e"]).variable("EXTRA", "e");
    assert_eq!(extra.jobs(source), ["docs", "always"]);
    let docker = Event { files: vec!["a/b/Dockerfile".to_owned()], ..Event::default() }.changed(&[]);
    assert_eq!(docker.jobs(source), ["always", "docker"]);
}

#[test]
fn questions_about_files_are_asked_once() {
    let count = std::cell::Cell::new(0);
    let config =
        read("a: {script: x, rules: [{changes: [a]}]}\nb: {script: x, rules: [{changes: [b]}]}\nc: {script: x}\n");
    let context = ci_yaml::Context {
        kind: RefKind::Branch,
        reference: "main",
        source: "push",
        project: "g/p",
        predefined: &[],
        variables: &[],
        changed: &|_| {
            count.set(count.get() + 1);
            Some(vec!["b".to_owned()])
        },
        files: &|| panic!("nobody asks for files"),
    };
    assert_eq!(ci_yaml::evaluate(&config, &context).unwrap().jobs.len(), 2);
    assert_eq!(count.get(), 1);
}

#[test]
fn only_and_except_choose_refs_and_sources() {
    let source = indoc! {"
        usual: {script: x}
        main: {script: x, only: [main]}
        tags: {script: x, only: [tags]}
        versions: {script: x, only: [/^v\\d/]}
        requests: {script: x, only: [merge_requests]}
        planned: {script: x, only: [schedules]}
        here: {script: x, only: [branches@group/project]}
        elsewhere: {script: x, only: [branches@other/project]}
        flagged: {script: x, only: {variables: [$FLAG]}}
        changed: {script: x, only: {changes: ['*.md']}}
        not_main: {script: x, except: [main]}
        not_flagged: {script: x, except: {variables: [$FLAG]}}
        cluster: {script: x, only: {kubernetes: active}}
        end: {script: x, only: [main, tags, merge_requests, schedules]}
    "};
    let branch = Event::default().changed(&["a.rs"]);
    assert_eq!(branch.jobs(source), ["usual", "main", "here", "not_flagged", "end"]);
    let tag = Event { kind: RefKind::Tag, reference: "v1", ..Event::default() }.variable("FLAG", "1");
    assert_eq!(tag.jobs(source), ["usual", "tags", "versions", "flagged", "changed", "not_main", "end"]);
    let request =
        Event { kind: RefKind::MergeRequest, reference: "topic", source: "merge_request_event", ..Event::default() };
    assert_eq!(request.jobs(source), ["requests", "end"]);
    let planned = Event { source: "schedule", ..Event::default() }.changed(&["a.md"]);
    assert_eq!(planned.jobs(source), ["usual", "main", "planned", "here", "changed", "not_flagged", "end"]);
}

#[test]
fn workflow_rules_decide_and_name() {
    let source = indoc! {"
        workflow:
          name: '$KIND for $CI_COMMIT_REF_NAME'
          auto_cancel: {on_new_commit: conservative, on_job_failure: all}
          rules:
            - if: $CI_COMMIT_BRANCH == 'main'
              variables: {KIND: release, DEPTH: deep}
              auto_cancel: {on_new_commit: none}
            - if: $CI_COMMIT_TAG
              when: never
        variables: {KIND: usual, DEPTH: shallow}
        job: {script: x, variables: {DEPTH: own}}
        request: {script: x}
    "};
    let plan = plan(source);
    assert_eq!(plan.name.as_deref(), Some("release for main"));
    assert_eq!(plan.auto_cancel.on_new_commit.as_deref(), Some("none"));
    assert_eq!(plan.auto_cancel.on_job_failure.as_deref(), Some("all"));
    assert_eq!(value(&plan.jobs[0], "KIND"), Some("release"));
    assert_eq!(value(&plan.jobs[0], "DEPTH"), Some("own"));
    assert_eq!(value(&plan.jobs[1], "DEPTH"), Some("deep"));
    let filtered = |event: Event| event.plan(source).unwrap_err();
    assert_eq!(filtered(Event { reference: "topic", ..Event::default() }), NoPipeline::Filtered);
    assert_eq!(filtered(Event { kind: RefKind::Tag, ..Event::default() }), NoPipeline::Filtered);
}

#[test]
fn empty_pipelines_say_why() {
    let none = Event::default().plan("a: {script: x, only: [tags]}\n").unwrap_err();
    assert_eq!(none, NoPipeline::Empty);
    assert!(none.to_string().starts_with("Pipeline will not run for the selected trigger."));
    let edges = "a: {script: x, stage: .pre}\nb: {script: x, stage: .post}\n";
    assert_eq!(Event::default().plan(edges).unwrap_err(), NoPipeline::Empty);
    assert_eq!(Event::default().plan("a: {script: x, rules: []}\n").unwrap_err(), NoPipeline::Empty);
}

#[test]
fn jobs_come_in_the_order_of_stages() {
    let plan = plan(
        "a: {script: x, stage: deploy}\nb: {script: x, stage: .pre}\nc: {script: x}\nd: {script: x, stage: build}\n",
    );
    let names: Vec<(&str, usize)> = plan.jobs.iter().map(|job| (job.name.as_str(), job.stage_index)).collect();
    assert_eq!(names, [("b", 0), ("d", 1), ("c", 2), ("a", 3)]);
}

#[test]
fn parallel_jobs_have_numbered_instances() {
    let plan = plan(
        "a: {script: x, stage: build, parallel: 3}\nb: {script: x, needs: [a], dependencies: [a]}\nc: {script: x, needs: ['a 2/3']}\n",
    );
    let names: Vec<&str> = plan.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["a 1/3", "a 2/3", "a 3/3", "b", "c"]);
    assert_eq!(value(&plan.jobs[1], "CI_NODE_INDEX"), Some("2"));
    assert_eq!(value(&plan.jobs[1], "CI_NODE_TOTAL"), Some("3"));
    assert_eq!(value(&plan.jobs[3], "CI_NODE_TOTAL"), Some("1"));
    assert_eq!(plan.jobs[3].needs.as_ref().unwrap().len(), 3);
    assert_eq!(plan.jobs[3].dependencies.as_ref().unwrap().len(), 3);
    assert_eq!(plan.jobs[4].needs.as_ref().unwrap()[0].job, "a 2/3");
}

#[test]
fn matrices_name_instances_and_choose_needs() {
    let source = indoc! {"
        build:
          script: x
          stage: build
          parallel: {matrix: [{OS: [linux, mac], ARCH: [x, y]}, {OS: win}]}
          rules: [{if: $OS != 'mac'}]
        all: {script: x, needs: [build]}
        linux:
          script: x
          needs: [{job: build, artifacts: false, parallel: {matrix: [{OS: linux}]}}]
        same:
          script: x
          parallel: {matrix: [{ARCH: [x, y]}]}
          needs: [{job: build, parallel: {matrix: [{OS: linux, ARCH: ['$[[ matrix.ARCH ]]']}]}}]
    "};
    let plan = plan(source);
    let needs = |name: &str| -> Vec<String> {
        let job = plan.jobs.iter().find(|job| job.name == name).unwrap();
        job.needs.iter().flatten().map(|need| need.job.clone()).collect()
    };
    assert_eq!(needs("all"), ["build: [linux, x]", "build: [linux, y]", "build: [win]"]);
    assert_eq!(needs("linux"), ["build: [linux, x]", "build: [linux, y]"]);
    assert_eq!(needs("same: [y]"), ["build: [linux, y]"]);
    assert_eq!(value(&plan.jobs[0], "OS"), Some("linux"));
    assert_eq!(plan.jobs[2].instance.unwrap().index, 5);
}

#[test]
fn needs_of_absent_jobs_are_refused_unless_optional() {
    let source = "a: {script: x, only: [tags]}\nb: {script: x, needs: [{job: a, optional: OPT}]}\n";
    let error = Event::default().plan(&source.replace("OPT", "false")).unwrap_err();
    assert!(error.to_string().starts_with("'b' job needs 'a' job, but 'a' does not exist in the pipeline."));
    let plan = plan(&source.replace("OPT", "true"));
    assert_eq!(plan.jobs[0].needs, Some(Vec::new()));
}

#[test]
fn rules_may_replace_needs_and_close_no_circle() {
    let source = indoc! {"
        a: {script: x, needs: [b]}
        b: {script: x, rules: [{if: $CIRCLE, needs: [a]}, {when: always}]}
    "};
    assert_eq!(Event::default().jobs(source), ["a", "b"]);
    let error = Event::default().variable("CIRCLE", "1").plan(source).unwrap_err();
    assert_eq!(error.to_string(), "The pipeline has circular dependencies: a, b");
}

#[test]
fn inherited_defaults_and_variables_can_be_chosen() {
    let source = indoc! {"
        default: {image: d, tags: [d], before_script: [d]}
        variables: {A: a, B: b}
        all: {script: x}
        none: {script: x, inherit: {default: false, variables: false}}
        some: {script: x, image: own, inherit: {default: [tags], variables: [B]}}
        ruled: {script: x, inherit: {variables: false}, rules: [{if: $A}]}
    "};
    let plan = plan(source);
    let [all, none, some] = plan.jobs.as_slice() else { panic!("three jobs") };
    assert_eq!((all.options.tags.len(), value(all, "A")), (1, Some("a")));
    assert_eq!((none.options.tags.len(), value(none, "A")), (0, None));
    assert!(none.options.image.is_none());
    assert_eq!((value(some, "A"), value(some, "B")), (None, Some("b")));
    assert!(some.options.before_script.is_empty());
}

#[test]
fn warnings_come_with_the_configuration() {
    let config = read("a: {script: x, rules: [{if: $A}, {when: always}]}\n");
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].message.starts_with("jobs:a may allow multiple pipelines"));
    assert!(read("workflow: {rules: [{when: always}]}\na: {script: x, rules: [{when: always}]}\n").warnings.is_empty());
}

#[test]
fn a_thousand_jobs_take_no_time() {
    let mut source = String::from("stages: [a, b]\nvariables: {V: x}\n");
    for index in 0..500 {
        source.push_str(&format!("build {index}: {{script: x, stage: a, rules: [{{if: $V == 'x'}}]}}\n"));
    }
    for index in 0..500 {
        let needs: Vec<String> = (0..40).map(|step| format!("build {}", (index + step * 7) % 500)).collect();
        source.push_str(&format!("test {index}: {{script: x, stage: b, needs: [{}]}}\n", needs.join(", ")));
    }
    let config = parse(&source, &NoFiles).unwrap();
    let context = ci_yaml::Context {
        kind: RefKind::Branch,
        reference: "main",
        source: "push",
        project: "g/p",
        predefined: &[],
        variables: &[],
        changed: &|_| None,
        files: &Vec::new,
    };
    let start = std::time::Instant::now();
    let plan = ci_yaml::evaluate(&config, &context).unwrap();
    let took = start.elapsed();
    assert_eq!(plan.jobs.len(), 1000);
    // Unoptimised and with other tests at work; optimised it is a few milliseconds.
    assert!(took.as_millis() < 1000, "{took:?}");
}

#[test]
fn tags_are_expanded_and_unknown_names_stay() {
    let plan = plan("a: {script: x, tags: ['$KIND-$NONE', plain], variables: {KIND: arm}}\n");
    assert_eq!(plan.jobs[0].options.tags, ["arm-$NONE", "plain"]);
}
