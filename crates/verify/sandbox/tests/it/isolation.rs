//! What a job cannot see and cannot do.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

use sandbox::{Level, Network, Step};

use crate::support::{fixture, isolation, needs};

#[test]
fn the_host_is_described_in_one_line() {
    let isolation = isolation();
    let line = isolation.summary();
    println!("{line}");
    assert!(line.starts_with("jobs ") && !line.contains('\n'));
    assert_eq!(isolation.level == Level::None, isolation.reason.is_some());
}

#[tokio::test]
async fn a_program_without_job_init_isolates_nothing() {
    let init = sandbox::InitCommand { program: "/bin/true".into(), args: Vec::new() };
    assert_eq!(sandbox::detect_with(&init).level, Level::None);
    let init = sandbox::InitCommand { program: "/nonexistent".into(), args: Vec::new() };
    assert!(sandbox::detect_with(&init).summary().contains("cannot run isolated"));
}

#[tokio::test]
async fn host_files_are_not_there() {
    let f = fixture!();
    let secret = f.dir.path().join("secret");
    std::fs::write(&secret, "data folder").unwrap();
    let script = format!(
        "for path in /etc/shadow /etc/ssh /root/.ssh /root/.cargo /home/other {} {} /sys/kernel /var/lib /var/log /work; do\n\
         if [ -e $path ] ; then echo found $path; fi; done\n\
         ls -A /root /mnt /home; ls / | tr '\\n' ' '",
        secret.display(),
        f.dir.path().display()
    );
    let (_, output) = f.run(&script).await;
    assert!(!output.contains("found"), "{output}");
    assert!(output.contains("/home:\njob\n"), "{output}");
    assert!(!output.contains("srv") && !output.contains("boot"), "{output}");
}

#[tokio::test]
async fn toolchains_are_visible_and_read_only() {
    let f = fixture!();
    let script = "set -e; ls /usr/bin/env /usr/local/bin >/dev/null; git --version >/dev/null\n\
                  id -un; hostname; test -c /dev/null; test -d /etc/ssl/certs; getent passwd job >/dev/null\n\
                  for path in /usr/x /usr/local/x /etc/x /x /dev/x /run/x; do if touch $path 2>/dev/null; then echo wrote $path; fi; done\n\
                  touch /builds/x /tmp/x ~/x /dev/shm/x; echo done";
    let (outcome, output) = f.run(script).await;
    assert!(outcome.success(), "{output}");
    assert_eq!(output, format!("job\njob-slot-{}\ndone\n", f.slot.index()));
}

#[tokio::test]
async fn other_processes_are_not_seen() {
    let f = fixture!();
    let (_, output) = f.run("ls -d /proc/[0-9]* | wc -l; kill -9 1 && echo alive; ls -l /proc/1/fd /proc/1/root 2>&1 | tail -1; cat /proc/1/environ 2>&1").await;
    let processes: u32 = output.lines().next().unwrap().trim().parse().unwrap();
    assert!(processes <= 5, "{output}");
    assert!(output.contains("ermission denied"), "{output}");
}

#[tokio::test]
async fn each_slot_has_its_own_ids() {
    needs!(isolation().uid_range, "uid ranges need root");
    let f = fixture!();
    let (_, map) = f.run("cat /proc/self/uid_map; id -u").await;
    let words: Vec<u32> = map.split_whitespace().map(|w| w.parse().unwrap()).collect();
    let first = f.sandbox.config().first_uid + f.slot.index() * 65_536;
    assert_eq!(words, [0, first, 65_536, 1000]);
}

#[tokio::test]
async fn the_network_is_out_of_reach() {
    let f = fixture!();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
    let (outcome, output) = f.run(&connect).await;
    assert!(!outcome.success() && !output.contains("connected"), "{output}");
    let (_, output) = f.run("cat /proc/net/dev | tail -n +3 | cut -d: -f1; (exec 3<>/dev/tcp/1.1.1.1/80) 2>&1").await;
    assert_eq!(output.lines().next().unwrap().trim(), "lo");
    assert!(output.contains("unreachable"), "{output}");

    let mut step = Step::script(connect);
    step.network = Some(Network::Host);
    assert_eq!(f.step(step).await.1, "connected\n");
}

#[tokio::test]
async fn loopback_works_inside() {
    let f = fixture!();
    needs!(std::path::Path::new("/usr/bin/python3").exists(), "no python3");
    let script = "python3 -c \"\nimport socket\ns = socket.create_server(('127.0.0.1', 8000))\nc = socket.create_connection(('127.0.0.1', 8000))\nprint('ok')\"";
    assert_eq!(f.run(script).await.1, "ok\n");
}

#[tokio::test]
async fn abstract_sockets_of_the_host_are_out_of_reach() {
    use std::os::linux::net::SocketAddrExt;
    let f = fixture!();
    needs!(std::path::Path::new("/usr/bin/python3").exists(), "no python3");
    let name = format!("sandbox-test-{}", std::process::id());
    let _listener =
        UnixListener::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let script =
        format!("python3 -c \"\nimport socket\nsocket.socket(socket.AF_UNIX).connect('\\0{name}')\" 2>&1 | tail -1");
    assert!(f.run(&script).await.1.contains("refused"));
}

/// Calls a system call by number and prints the error's name.
const CALL: &str = r#"python3 - <<'E'
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    ctypes.set_errno(0)
    result = libc.syscall(*args)
    print(name, 'done' if result >= 0 else errno.errorcode[ctypes.get_errno()])
call('mount', 165, b'none', b'/tmp', b'tmpfs', 0, 0)
call('umount', 166, b'/usr', 2)
call('ptrace', 101, 16, 1, 0, 0)
call('keyctl', 250, 0, -3, 0)
call('unshare', 272, 0x10000000)
call('clone', 56, 0x10000000 | 17, 0, 0, 0, 0)
call('clone3', 435, 0, 0)
call('setns', 308, 0, 0)
call('bpf', 321, 0, 0, 0)
call('chroot', 161, b'/tmp')
call('io_uring', 425, 1, 0)
call('perf', 298, 0, 0, -1, -1, 0)
call('vsock', 41, 40, 1, 0)
call('packet', 41, 17, 3, 0)
call('tiocsti', 16, 0, 0x5412, b'x')
call('setuid', 105, 0)
call('personality', 135, 8)
call('x32', 0x40000000 + 39)
E"#;

#[tokio::test]
#[cfg(target_arch = "x86_64")]
async fn dangerous_calls_are_refused() {
    let f = fixture!();
    needs!(std::path::Path::new("/usr/bin/python3").exists(), "no python3");
    let (_, output) = f.run(CALL).await;
    for line in output.lines() {
        let (name, result) = line.split_once(' ').unwrap();
        let want = if matches!(name, "clone3" | "x32") { "ENOSYS" } else { "EPERM" };
        // Without a range of ids, root's id does not even exist inside.
        let unknown_id = name == "setuid" && !isolation().uid_range && result == "EINVAL";
        assert!(result == want || unknown_id, "{name}: {result}");
    }
    assert_eq!(output.lines().count(), 18, "{output}");
}

#[tokio::test]
async fn privileges_are_gone() {
    let f = fixture!();
    let (_, output) = f.run("grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status").await;
    for line in output.lines() {
        let (name, value) = line.split_once(':').unwrap();
        match name {
            "NoNewPrivs" => assert_eq!(value.trim(), "1"),
            "Seccomp" => assert_eq!(value.trim(), "2"),
            "Groups" if isolation().uid_range => assert_eq!(value.trim(), ""),
            "Groups" => {}
            _ => assert_eq!(value.trim(), "0000000000000000", "{name}"),
        }
    }
    let (_, output) =
        f.run("mknod /tmp/disk b 254 0 2>&1; mkfifo /tmp/fifo && echo fifo; ls -l /proc/self/fd | grep -c '^l'").await;
    assert!(output.contains("ermission denied") || output.contains("not permitted"), "{output}");
    assert!(output.contains("fifo\n"), "{output}");
}

#[tokio::test]
async fn nothing_is_left_for_the_next_job() {
    let f = fixture!();
    f.run("echo x > /builds/left; echo x > /tmp/left; echo x > ~/left; mkdir /builds/shut; touch /builds/shut/x; chmod 0 /builds/shut").await;
    f.slot.renew().await.unwrap();
    let (_, output) = f.run("ls -A /builds /tmp ~ | grep -v :").await;
    assert_eq!(output.trim(), "");
}

#[tokio::test]
async fn the_runners_own_folders_are_hidden_inside_shown_ones() {
    // Not below /tmp, which is the job's own inside.
    let outer = tempfile::tempdir_in("/var/tmp").unwrap();
    let folder = outer.path();
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::create_dir(folder.join("data")).unwrap();
    std::fs::write(folder.join("data/database"), "x").unwrap();
    std::fs::write(folder.join("tool"), "x").unwrap();
    let f = fixture!(|config| {
        config.root = folder.join("runner");
        config.hidden.push(folder.join("data"));
        config.read_only.push(folder.to_owned());
    });
    let dir = folder.display();
    let (_, output) =
        f.run(&format!("ls {dir}; ls -A {dir}/data {dir}/runner 2>&1; cat {dir}/data/database 2>&1")).await;
    assert!(output.starts_with("data\nrunner\ntool\n"), "{output}");
    assert!(!output.contains("\ndatabase\n") && !output.contains("slots"), "{output}");
}

#[tokio::test]
async fn kernel_settings_cannot_be_written() {
    let f = fixture!();
    let script = "for path in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/sys/kernel/hostname; do\n\
                  (echo x > $path) 2>/dev/null && echo wrote $path; done; echo done";
    assert_eq!(f.run(script).await.1, "done\n");
}

/// Repeats the tests that matter most as a user without rights, where jobs get a single id.
#[test]
fn the_same_holds_without_root() {
    needs!(nix::unistd::geteuid().is_root(), "not root, so the other tests have shown it");
    if std::env::var_os("SANDBOX_TEST_UNPRIVILEGED").is_some() {
        return;
    }
    for part in ["isolation::", "lifecycle::", "execute::", "sources::the_commit"] {
        let run = Command::new(std::env::current_exe().unwrap())
            .arg(part)
            .env("SANDBOX_TEST_UNPRIVILEGED", "1")
            .env("TMPDIR", "/tmp")
            .env("HOME", "/tmp")
            .uid(65_534)
            .gid(65_534)
            .current_dir("/")
            .output();
        match run {
            Err(error) => return println!("skipped: the test program is out of nobody's reach: {error}"),
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        }
    }
}
