//! One Envoy process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, Response};
use crate::config::Setup;
use crate::scratch::Scratch;
use crate::wasm;

/// How long to wait for anything that Envoy does by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy; dropping it ends exactly this process.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    admin: SocketAddr,
    scratch: Scratch,
}

/// Why Envoy did not start: its exit status and its log.
#[derive(Debug)]
pub struct NotStarted {
    /// Envoy's exit code.
    pub code: Option<i32>,
    /// What it logged.
    pub log: String,
}

impl NotStarted {
    fn of(child: &mut Child, scratch: &Scratch) -> Self {
        let code = child.wait().expect("the child can be waited for").code();
        let log = fs::read_to_string(scratch.path().join("envoy.log")).unwrap_or_default();
        Self { code, log }
    }
}

impl Envoy {
    /// Starts Envoy and waits until its listeners are there.
    #[must_use]
    pub fn start(setup: &Setup) -> Self {
        Self::try_start(setup).unwrap_or_else(|not| panic!("Envoy did not start: {}", not.log))
    }

    /// Starts Envoy, which may refuse its configuration.
    ///
    /// # Errors
    /// [`NotStarted`] when the process ended.
    pub fn try_start(setup: &Setup) -> Result<Self, NotStarted> {
        let scratch = Scratch::new("envoy");
        if let Some(listeners) = setup.dynamic_listeners() {
            scratch.write("lds.json", listeners.to_string());
        }
        let config = scratch.write("envoy.json", setup.bootstrap(scratch.path()).to_string());
        let log = File::create(scratch.path().join("envoy.log")).expect("the log can be written");
        let mut child = Command::new(wasm::envoy())
            .arg("--config-path")
            .arg(config)
            .arg("--admin-address-path")
            .arg(scratch.path().join("admin"))
            .args(["--use-dynamic-base-id", "--file-flush-interval-msec", "50"])
            .args(["--concurrency", &setup.concurrency.to_string()])
            .args(["--log-level", "warning", "--component-log-level", "wasm:info,config:info"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Envoy's binary runs");
        let Some(admin) = wait_for_admin(&mut child, &scratch) else {
            return Err(NotStarted::of(&mut child, &scratch));
        };
        let mut envoy = Self { child, admin, scratch };
        let start = Instant::now();
        while envoy.listeners().len() < setup.listeners.len() || envoy.admin("/ready").status != 200
        {
            if envoy.child.try_wait().expect("the child can be asked").is_some() {
                return Err(NotStarted::of(&mut envoy.child, &envoy.scratch));
            }
            assert!(start.elapsed() < PATIENCE, "Envoy is not ready; log:\n{}", envoy.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(envoy)
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the admin interface.
    #[must_use]
    pub fn admin(&self, path: &str) -> Response {
        Client::plain(self.admin).get(path)
    }

    /// Has Envoy write no more lines of its Wasm filters, audit records among them, but errors.
    pub fn quieten(&self) {
        let answer = Client::plain(self.admin).request("POST", "/logging?wasm=error", &[]);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// Where a listener listens.
    #[must_use]
    pub fn listener(&self, name: &str) -> SocketAddr {
        *self.listeners().get(name).unwrap_or_else(|| panic!("no listener {name}"))
    }

    /// Where all listeners listen, by name.
    #[must_use]
    pub fn listeners(&self) -> BTreeMap<String, SocketAddr> {
        let answer: Value = serde_json::from_slice(&self.admin("/listeners?format=json").body)
            .unwrap_or(Value::Null);
        let statuses = answer["listener_statuses"].as_array().cloned().unwrap_or_default();
        let address = |status: &Value| {
            let port = status["local_address"]["socket_address"]["port_value"].as_u64()?;
            let name = status["name"].as_str()?.to_owned();
            Some((name, SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).ok()?))))
        };
        statuses.iter().filter_map(address).collect()
    }

    /// A counter or gauge; zero if Envoy does not know it.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let answer = self.admin("/stats?usedonly");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// Everything logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The log file.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.scratch.path().join("envoy.log")
    }

    /// The lines of the access log so far, each as JSON.
    #[must_use]
    pub fn access_log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.scratch.path().join("access.log")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The audit records in the log so far.
    #[must_use]
    pub fn audit(&self) -> Vec<Value> {
        self.log().lines().filter_map(audit_record).collect()
    }

    /// Waits for the audit record with this correlation id.
    #[must_use]
    pub fn audit_of(&self, correlation_id: &str) -> Value {
        let mut found = Value::Null;
        self.wait(&format!("audit record {correlation_id}"), |envoy| {
            let mut records = envoy.audit().into_iter();
            found = records.find(|r| r["correlation_id"] == correlation_id).unwrap_or(Value::Null);
            !found.is_null()
        });
        found
    }

    /// Replaces the listeners of an Envoy that was started with `dynamic: true`.
    pub fn replace_listeners(&self, setup: &Setup) {
        let listeners = setup.dynamic_listeners().expect("a dynamic set-up");
        let new = self.scratch.write("lds.new", listeners.to_string());
        fs::rename(new, self.scratch.path().join("lds.json")).expect("renames within a folder");
    }

    /// Waits until something is so; fails the test when it never is.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- Envoy's log ---\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the file in which Envoy writes its admin address; none if the process ended.
fn wait_for_admin(child: &mut Child, scratch: &Scratch) -> Option<SocketAddr> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if child.try_wait().expect("the child can be asked").is_some() {
            return None;
        }
        let text = fs::read_to_string(scratch.path().join("admin")).unwrap_or_default();
        if let Ok(address) = text.trim().parse() {
            return Some(address);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    None
}

/// The audit record in a log line: Envoy's prefix, then one JSON object with a verdict.
fn audit_record(line: &str) -> Option<Value> {
    let record: Value = serde_json::from_str(line.get(line.find("{\"time\":")?..)?).ok()?;
    record.get("verdict").is_some().then_some(record)
}
