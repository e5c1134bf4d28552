//! The sandbox on loopback, and the way to it that a settings file describes: source, desired events, gateway.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use calsyncd::{
    clock::{Clock, SystemClock},
    daemon::wire,
    desired::desired,
    gateway::{Calendar, Gateway, Outcome, Write},
    http::{
        Request, Transport as _,
        client::{HttpConfig, ReqwestTransport},
    },
    model::{
        address::Address,
        fingerprint::Fingerprint,
        key::SourceKey,
        link::{ItemRef, Owner},
        occurrences::Occurrences,
        source::Completeness,
        window::Window,
    },
    sandbox::{RunningSandbox, Sandbox, SandboxSettings},
    scheduler::Wiring,
    settings::{Environment, Strictness, load},
};
use http::{HeaderMap, Method};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{Items, cases::Expected};

/// Whose calendar it is.
pub(crate) const MAILBOX: &str = "ana@example.test";
/// The name of source and job.
const NAME: &str = "inbox";

/// The protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Ews,
    Graph,
}

/// A calendar, and what was written to it.
pub(crate) struct Stage {
    runtime: Runtime,
    sandbox: RunningSandbox,
    reader: ReqwestTransport,
    wiring: Wiring,
    gateway: Arc<dyn Gateway>,
    calendar: Calendar,
    written: BTreeMap<SourceKey, (ItemRef, Fingerprint)>,
    folder: TempDir,
    /// The writes that were not carried out.
    failures: Vec<String>,
}

impl Stage {
    /// An empty calendar.
    pub(crate) fn new(face: Face) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let folder = tempfile::Builder::new().prefix("calsyncd-matrix-").tempdir().unwrap();
        let settings = SandboxSettings::with_mailboxes([MAILBOX], "Europe/Paris");
        let sandbox = runtime.block_on(Sandbox::start(settings, ([127, 0, 0, 1], 0).into(), None)).unwrap();
        let wiring = wiring(folder.path(), face, &sandbox.url());
        let mailbox = Address::parse(MAILBOX).unwrap();
        let gateway = Arc::clone(&wiring.ways.all().next().unwrap().gateway);
        let calendar = runtime.block_on(gateway.open(&mailbox)).unwrap();
        let http = HttpConfig { response_bytes_max: 1 << 30, ..HttpConfig::default() };
        let reader = ReqwestTransport::new(http).unwrap();
        Self {
            runtime,
            sandbox,
            reader,
            wiring,
            gateway,
            calendar,
            written: BTreeMap::new(),
            folder,
            failures: Vec::new(),
        }
    }

    /// Lets the source say these lines and the calendar show them: what is new is created, what differs is updated, what
    /// is no longer wanted is deleted. What cannot be pushed stays as it is: the ids, each with its reason.
    pub(crate) fn write(&mut self, lines: &[Value]) -> BTreeMap<String, String> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.folder.path().join("events/events.jsonl"), text).unwrap();
        let read = self.runtime.block_on(self.wiring.sources[NAME].read()).unwrap();
        assert_eq!((&read.completeness, read.rejections.as_slice()), (&Completeness::Complete, [].as_slice()));
        let at = |text: &str| text.parse().unwrap();
        let window = Window { start: at("2016-01-01T00:00:00Z"), end: at("2029-01-01T00:00:00Z") };
        let mut desired = desired(&read, &self.wiring.jobs[NAME], window);
        let events = desired.mailboxes.remove(&self.calendar.mailbox).unwrap_or_default();
        let wanted: BTreeSet<SourceKey> = events.iter().map(|event| event.key.clone()).collect();
        let skipped: BTreeSet<&SourceKey> = desired.skipped.iter().map(|skipped| &skipped.key).collect();
        let surplus = self.written.iter().filter(|(key, _)| !wanted.contains(*key) && !skipped.contains(*key));
        let deletes = surplus.map(|(key, (item, _))| Write::Delete { key: key.clone(), item: item.clone() });
        let deletes: Vec<Write> = deletes.collect();
        let changes = events.into_iter().filter_map(|event| match self.written.get(&event.key) {
            None => Some(Write::Create { event, generation: 1 }),
            Some((item, before)) => {
                let fields = before.differing_fields(&event.fingerprint());
                let occurrences = if event.series.is_some() { Occurrences::All } else { Occurrences::NONE };
                (!fields.is_empty()).then(|| Write::Update {
                    item: item.clone(),
                    event,
                    generation: 2,
                    fields,
                    occurrences,
                })
            }
        });
        let writes: Vec<Write> = changes.chain(deletes).collect();
        for some in writes.chunks(self.gateway.batch_limits().writes) {
            let answers = self.runtime.block_on(self.gateway.apply(&self.calendar, some));
            for (write, answer) in some.iter().zip(answers) {
                match answer.outcome {
                    Outcome::Written { item, fingerprint } => {
                        self.written.insert(write.key().clone(), (item, fingerprint));
                    }
                    Outcome::Gone if matches!(write, Write::Delete { .. }) => {
                        self.written.remove(write.key());
                    }
                    other => self.failures.push(format!("{:?}: {other:?}", write.key())),
                }
            }
        }
        let id = |key: &SourceKey| key.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        let refused = desired.rejections.into_iter().filter_map(|refused| Some((id(&refused.key?), refused.reason)));
        refused.collect()
    }

    /// The writes that were not carried out since the last call.
    pub(crate) fn failures(&mut self) -> Vec<String> {
        std::mem::take(&mut self.failures)
    }

    /// The items of the calendar, by their subjects.
    pub(crate) fn items(&self) -> Items {
        self.read("items")
    }

    /// What takes place between two instants, series expanded, by the subjects.
    pub(crate) fn view(&self, from: &str, to: &str) -> Items {
        self.read(&format!("view?from={from}&to={to}"))
    }

    fn read(&self, what: &str) -> Items {
        let url = format!("{}/sandbox/mailboxes/{MAILBOX}/{what}", self.sandbox.url());
        let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        let answer = self.runtime.block_on(self.reader.send(request)).unwrap();
        assert_eq!(answer.status, 200);
        let entries: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
        let mut items = Items::new();
        for entry in &entries {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            assert_eq!(text("start_zone"), text("end_zone"));
            let shown = if entry["all_day"] == true {
                Expected::Days(text("first_day").parse().unwrap(), text("last_day").parse().unwrap())
            } else {
                Expected::Timed(text("start").parse().unwrap(), text("end").parse().unwrap())
            };
            items.entry(text("subject").to_owned()).or_default().push(shown);
        }
        items.values_mut().for_each(|shown| shown.sort());
        items
    }
}

/// Everything between a source folder and the sandbox at `url`.
fn wiring(folder: &Path, face: Face, url: &str) -> Wiring {
    let exchange = match face {
        Face::Ews => format!(
            "delegated_user = \"service\"\nlinked_password_file = \"secret\"\nuse_impersonation = true\n\
             ews_service_url = \"{url}/EWS/Exchange.asmx\"\nexchange_server_version = \"Exchange2016\"\n"
        ),
        Face::Graph => format!(
            "use_graph_api = true\ngraph_url = \"{url}\"\ntoken_url = \"{url}/tenant/oauth2/v2.0/token\"\n\
             tenant_id = \"tenant\"\nclient_id = \"client\"\nclient_secret_file = \"secret\"\n"
        ),
    };
    let limits = "requests_per_minute = 1000000\nmailbox_requests_per_minute = 1000000\nbatch_size = 100\n";
    let text = format!(
        "[exchange]\n{exchange}\n[limits]\n{limits}\n[state]\npath = \"state/calsyncd.sqlite\"\n\
         [sources.{NAME}]\nkind = \"files\"\npath = \"events\"\nzone = \"Europe/Paris\"\n[jobs.{NAME}]\nsource = \"{NAME}\"\n"
    );
    fs::create_dir(folder.join("events")).unwrap();
    fs::write(folder.join("secret"), "secret").unwrap();
    let secret = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    fs::set_permissions(folder.join("secret"), secret).unwrap();
    fs::write(folder.join("calsyncd.toml"), text).unwrap();
    let loaded = load(&folder.join("calsyncd.toml"), &Environment::default(), Strictness::Check);
    let settings = loaded.unwrap_or_else(|faults| panic!("{:?}", faults.findings)).settings;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    wire(&settings, &Owner("matrix".to_owned()), &clock).unwrap()
}
