//! What callers get when a VM dies or is replaced: a refusal, and service again at once. The faults
//! are written into the module (see `fault`); all else is configured as the README says.

mod fault;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests_envoy::jwks::Behaviour;
use lychgate_tests_envoy::policy::{allow_tokens, authentication, bundle, claims};
use lychgate_tests_envoy::token::encode;
use lychgate_tests_envoy::{
    Client, Envoy, Filter, JwksServer, Listener, Scratch, Setup, SigningKey, Upstream,
};
use serde_json::{Value, json};

const URI: &str = "http://keys.example/jwks";

/// With the README's backoff of 10 ms it takes about that; a busy machine gets time to spare.
const AT_ONCE: Duration = Duration::from_secs(2);

/// One listener with a policy that wants tokens, whose keys are fetched.
struct Bench {
    setup: Setup,
    server: JwksServer,
    upstream: Upstream,
    key: SigningKey,
    scratch: Scratch,
}

impl Bench {
    fn new() -> Self {
        let key = SigningKey::named("ec-1");
        let server = JwksServer::start(Behaviour::Answer(200, key.jwks().into_bytes()));
        let upstream = Upstream::start();
        let setup = Setup::new(vec![Listener::lychgate("main", &policy("lychgate"))])
            .cluster("upstream", upstream.address())
            .cluster("keys", server.address());
        Self { setup, server, upstream, key, scratch: Scratch::new("reload") }
    }

    /// The filter as a build whose `callback` traps from its nth call in a VM on.
    fn faulty(&self, callback: &str, nth: i32) -> Filter {
        let module = fault::module(&self.scratch, callback, nth);
        Filter::Build(module, policy("lychgate").to_string())
    }

    fn with_filter(mut self, filter: Filter) -> Self {
        self.setup.listeners[0].filters = vec![filter];
        self
    }

    fn bearers(&self) -> Bearers {
        let good = self.key.sign(&claims("alice"));
        let parts: Vec<&str> = good.split('.').collect();
        let others = encode(claims("mallory").to_string().as_bytes());
        Bearers {
            forged: format!("Bearer {}.{others}.{}", parts[0], parts[2]),
            good: format!("Bearer {good}"),
        }
    }
}

fn policy(realm: &str) -> Value {
    let settings = json!({ "realm": realm, "jwks": [{ "uri": URI, "cluster": "keys" }] });
    bundle(&settings, &[authentication(&json!({ "jwksUri": URI })), allow_tokens()])
}

/// A token that may pass, and one with its signature over somebody else's claims.
#[derive(Debug, Clone)]
struct Bearers {
    good: String,
    forged: String,
}

impl Bearers {
    /// Asks three times: as somebody who may pass, with a forged token, and without one. Answers the
    /// statuses; fails if anybody passes who may not, or does not get a whole answer.
    fn ask(&self, client: &Client) -> [u16; 3] {
        let send = |headers: &[(&str, &str)]| client.request("GET", "/", headers).status;
        let good = send(&[("authorization", &self.good)]);
        let forged = send(&[("authorization", &self.forged)]);
        let nobody = send(&[]);
        assert!(matches!(good, 200 | 503), "{good}");
        assert!(matches!(forged, 401 | 503), "{forged}");
        assert!(matches!(nobody, 401 | 503), "{nobody}");
        [good, forged, nobody]
    }
}

/// Asks until so many VMs have died. Nobody may pass who may not, and whenever a VM has died there
/// must be service again at once.
fn ask_while_vms_die(bench: &Bench, deaths: usize) {
    let envoy = Envoy::start(&bench.setup);
    envoy.wait("keys", |_| bench.server.requests() > 0);
    // From now on a new VM has the keys from the old one or not at all.
    bench.server.behave(Behaviour::HangUp);
    // The log, which is read again and again, shall hold faults only.
    envoy.quieten();
    let (client, bearers) = (Client::plain(envoy.listener("main")), bench.bearers());
    let (mut passed, mut served, mut longest) = (0, Instant::now(), Duration::ZERO);
    while envoy.log().matches("Uncaught RuntimeError: unreachable").count() < deaths {
        let statuses = bearers.ask(&client);
        if statuses[0] == 200 {
            passed += 1;
            longest = longest.max(served.elapsed());
            served = Instant::now();
        }
        assert!(served.elapsed() < AT_ONCE, "no service for {:?}", served.elapsed());
    }
    println!("{deaths} VMs died, {passed} requests passed, at most {longest:?} apart");
    // The upstream may have had one that was let pass when its VM died, before the answer came.
    let seen = bench.upstream.requests();
    assert!((passed..=passed + deaths as u64).contains(&seen), "{seen} of {passed}");
    assert_eq!(bench.server.requests(), 1, "the keys outlive a VM");
}

#[test]
fn nobody_passes_who_may_not_while_requests_kill_vms() {
    let bench = Bench::new();
    let filter = bench.faulty("proxy_on_request_headers", 8);
    ask_while_vms_die(&bench.with_filter(filter), 12);
}

#[test]
fn nobody_passes_who_may_not_while_the_timer_kills_vms() {
    let bench = Bench::new();
    let filter = bench.faulty("proxy_on_tick", 3);
    ask_while_vms_die(&bench.with_filter(filter), 4);
}

#[test]
fn nobody_passes_where_every_vm_dies_of_its_first_request() {
    let bench = Bench::new();
    let filter = bench.faulty("proxy_on_request_headers", 1);
    let bench = bench.with_filter(filter);
    let envoy = Envoy::start(&bench.setup);
    let (client, bearers) = (Client::plain(envoy.listener("main")), bench.bearers());
    for _ in 0..50 {
        assert_eq!(bearers.ask(&client), [503; 3]);
    }
    assert_eq!(bench.upstream.requests(), 0);
}

/// Envoy does not wake what waited in a VM that died; its own time-out ends it.
#[test]
fn a_request_that_waits_in_a_vm_that_dies_does_not_pass() {
    let bench = Bench::new();
    let filter = bench.faulty("proxy_on_http_call_response", 1);
    let mut bench = bench.with_filter(filter);
    bench.setup.listeners[0].manager = json!({ "stream_idle_timeout": "1s" });
    let mut patient = policy("lychgate");
    patient["settings"]["keyRefresh"] = json!({ "waitMilliseconds": 5000 });
    if let Filter::Build(_, bundle) = &mut bench.setup.listeners[0].filters[0] {
        *bundle = patient.to_string();
    }
    let body = bench.key.jwks().into_bytes();
    bench.server.behave(Behaviour::Slow(Duration::from_millis(500), body));
    let envoy = Envoy::start(&bench.setup);
    let client = Client::plain(envoy.listener("main"));
    let answer = client.request("GET", "/", &[("authorization", &bench.bearers().good)]);
    assert!(matches!(answer.status, 408 | 503 | 504), "{answer:?}");
    assert_eq!(bench.upstream.requests(), 0);
}

/// What docs warn of: Envoy's default leaves the worker without a filter, and refuses everything.
#[test]
fn without_a_reload_a_dead_vm_refuses_everything_until_the_configuration_changes() {
    let mut bench = Bench::new();
    bench.setup.dynamic = true;
    let healthy = bench.setup.clone();
    let mut filter = bench.faulty("proxy_on_request_headers", 4).json();
    let plugin = &mut filter["typed_config"]["config"];
    plugin["failure_policy"] = json!("FAIL_CLOSED");
    plugin.as_object_mut().unwrap().remove("reload_config");
    let bench = bench.with_filter(Filter::Other(filter));
    let envoy = Envoy::start(&bench.setup);
    envoy.wait("keys", |envoy| envoy.stat("wasmcustom.lychgate.keys.fetched") > 0);
    let bearers = bench.bearers();
    assert_eq!(bearers.ask(&Client::plain(envoy.listener("main"))), [200, 401, 401]);
    for _ in 0..50 {
        assert_eq!(bearers.ask(&Client::plain(envoy.listener("main"))), [503; 3]);
    }
    envoy.replace_listeners(&healthy);
    envoy.wait("service", |envoy| {
        bearers.ask(&Client::plain(envoy.listener("main"))) == [200, 401, 401]
    });
}

#[test]
fn no_request_passes_unchecked_or_is_lost_while_the_vm_is_replaced() {
    let mut bench = Bench::new();
    bench.setup.dynamic = true;
    let envoy = Envoy::start(&bench.setup);
    envoy.wait("keys", |envoy| envoy.stat("wasmcustom.lychgate.keys.fetched") == 1);
    let client = Client::plain(envoy.listener("main"));
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (bearers, client, done) = (bench.bearers(), client.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let mut rounds = 0;
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(bearers.ask(&client), [200, 401, 401]);
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    for number in 0..8 {
        let realm = format!("number-{number}");
        // Other code is another VM: here the same code under another name.
        let copy = bench.scratch.path().join(format!("{realm}.wasm"));
        std::fs::copy(lychgate_tests_envoy::wasm::filter(), &copy).unwrap();
        let filter = Filter::Build(copy, policy(&realm).to_string());
        bench.setup.listeners[0].filters = vec![filter];
        envoy.replace_listeners(&bench.setup);
        envoy.wait(&realm, |_| {
            let answer = client.get("/");
            answer.header("www-authenticate").is_some_and(|challenge| challenge.contains(&realm))
        });
    }
    done.store(true, Ordering::Relaxed);
    let rounds: u64 = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    println!("{rounds} rounds while the VM was replaced 8 times");
    assert!(rounds > 0);
    assert_eq!(bench.upstream.requests(), rounds);
}
