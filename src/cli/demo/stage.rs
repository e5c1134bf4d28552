//! What the demo plays on: a folder of its own, the sandbox, two sets of settings, two states.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{
    super::{sandbox, setup},
    mirror::Mirror,
    samples,
};
use crate::{
    model::{source::Recipient, zone::Zone},
    sandbox::{AccountSettings, ApplicationSettings, MailboxSettings, RunningSandbox, Sandbox, SandboxSettings, Scope},
    scheduler::{Engine, Progress},
    settings::{Environment, FilesSource, Settings, Source, Strictness, load},
    sources,
    state::{Access, Store},
};

/// Which face of the sandbox is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Ews,
    Graph,
}

impl Face {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Ews => "EWS",
            Self::Graph => "Graph",
        }
    }

    const fn domain(self) -> &'static str {
        match self {
            Self::Ews => "onprem.example.test",
            Self::Graph => "cloud.example.test",
        }
    }
}

const USER: &str = "svc-calsyncd@onprem.example.test";
const TENANT: &str = "cloud.example.test";
const CLIENT: &str = "6f1d1bd2-53f0-4d29-9d3a-0b3f1c6a7e55";
const ZONE: &str = "Europe/Paris";

/// The stage of the demo.
pub(super) struct Stage {
    folder: tempfile::TempDir,
    samples: PathBuf,
    mirror: Mirror,
    sandbox: RunningSandbox,
    ews: (Settings, Store),
    graph: (Settings, Store),
    people: usize,
    events: usize,
}

impl Stage {
    /// Builds it: nothing of it outlives [`Stage::strike`].
    pub(super) async fn build(listen: SocketAddr, record: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("calsyncd-demo-")
            .tempdir()
            .context("cannot make a folder for the demo's files")?;
        let samples = samples::folder(folder.path())?;
        let events = folder.path().join("events");
        let mut mirror = Mirror::new(samples.clone(), events.clone());
        mirror.copy().with_context(|| format!("cannot copy the sample data of {}", samples.display()))?;
        let (people, count) = read_people(&events).await?;
        let secret = uuid::Uuid::new_v4().to_string();
        let sandbox = Sandbox::start(sandbox_settings(&people, &secret), listen, record)
            .await
            .map_err(|error| sandbox::failure(&error))?;
        let ews = configure(folder.path(), Face::Ews, &sandbox.url(), &secret).await?;
        let graph = configure(folder.path(), Face::Graph, &sandbox.url(), &secret).await?;
        Ok(Self { folder, samples, mirror, sandbox, ews, graph, people: people.len(), events: count })
    }

    pub(super) fn url(&self) -> String {
        self.sandbox.url()
    }

    pub(super) fn week_page(&self) -> String {
        format!("{}/", self.sandbox.url())
    }

    pub(super) fn samples(&self) -> &Path {
        &self.samples
    }

    pub(super) const fn people(&self) -> usize {
        self.people
    }

    pub(super) const fn events(&self) -> usize {
        self.events
    }

    /// The real engine on the settings of one face.
    pub(super) fn engine(&self, face: Face, progress: Progress, stop: CancellationToken) -> anyhow::Result<Engine> {
        let (settings, store) = match face {
            Face::Ews => &self.ews,
            Face::Graph => &self.graph,
        };
        Ok(setup::engine(settings, store, &setup::Parked::new(), progress, stop)?)
    }

    /// Copies every change of the sample files until it is stopped.
    pub(super) async fn mirror(&self, stop: CancellationToken) {
        self.mirror.clone().follow(stop).await;
    }

    /// Stops the sandbox and removes the demo's files.
    pub(super) async fn strike(self) {
        self.ews.1.close().await;
        self.graph.1.close().await;
        self.sandbox.stop().await;
        // What cannot be removed from a temporary folder does no harm.
        let _ = self.folder.close();
    }
}

/// The people that the sample data names, and how many events it holds.
async fn read_people(events: &Path) -> anyhow::Result<(BTreeSet<String>, usize)> {
    let zone = Zone::parse(ZONE)?;
    let settings = Source::Files(FilesSource { path: events.to_owned(), zone, end_marker: false });
    let read = sources::open("planning", &settings)?.read().await.context("cannot read the sample data")?;
    let person = |recipient: &Recipient| match recipient {
        Recipient::Person(person) => person.clone(),
        Recipient::Mailbox(mailbox) => mailbox.as_str().split('@').next().unwrap_or_default().to_owned(),
    };
    Ok((read.events.iter().map(|event| person(&event.recipient)).collect(), read.events.len()))
}

fn sandbox_settings(people: &BTreeSet<String>, secret: &str) -> SandboxSettings {
    let mailboxes = [Face::Ews, Face::Graph].into_iter().flat_map(|face| {
        people.iter().map(move |person| MailboxSettings {
            address: format!("{person}@{}", face.domain()),
            name: name(person),
            ..MailboxSettings::default()
        })
    });
    SandboxSettings {
        mailboxes: mailboxes.collect(),
        accounts: vec![AccountSettings {
            user: USER.to_owned(),
            password: secret.to_owned(),
            impersonate: Scope::All,
            ..AccountSettings::default()
        }],
        applications: vec![ApplicationSettings {
            tenant_id: TENANT.to_owned(),
            client_id: CLIENT.to_owned(),
            client_secrets: vec![secret.to_owned()],
            roles: vec!["Calendars.ReadWrite".to_owned()],
            ..ApplicationSettings::default()
        }],
        ..SandboxSettings::default()
    }
}

/// `ana.martin` is Ana Martin.
fn name(person: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    person.split(['.', '-', '_']).map(capital).collect::<Vec<_>>().join(" ")
}

/// Writes the settings of one face, loads them as the daemon does, and opens its state.
async fn configure(folder: &Path, face: Face, url: &str, secret: &str) -> anyhow::Result<(Settings, Store)> {
    let secret_file = folder.join("secret");
    write_secret(&secret_file, secret).context("cannot write the demo's secret")?;
    let name = face.title().to_lowercase();
    let exchange = match face {
        Face::Ews => format!(
            "delegated_user = \"{USER}\"\nlinked_password_file = \"secret\"\n\
             ews_service_url = \"{url}/EWS/Exchange.asmx\"\nexchange_server_version = \"Exchange2016\"\n\
             use_impersonation = true\n"
        ),
        Face::Graph => format!(
            "use_graph_api = true\ngraph_url = \"{url}\"\ntoken_url = \"{url}/{TENANT}/oauth2/v2.0/token\"\n\
             tenant_id = \"{TENANT}\"\nclient_id = \"{CLIENT}\"\nclient_secret_file = \"secret\"\n"
        ),
    };
    let text = format!(
        "[exchange]\n{exchange}\n[sources.planning]\nkind = \"files\"\npath = \"events\"\nzone = \"{ZONE}\"\n\n\
         [jobs.planning]\nsource = \"planning\"\npeople_domain = \"{}\"\nzone = \"{ZONE}\"\n\
         private_subject = \"Private appointment\"\n\n[state]\npath = \"{name}.db\"\n",
        face.domain()
    );
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).context("cannot write the demo's settings")?;
    let loaded = load(&path, &Environment::default(), Strictness::Run).map_err(|faults| {
        setup::print_faults(&faults);
        anyhow::anyhow!("the demo's own settings are refused: this is a defect")
    })?;
    let store = setup::open_state(&loaded.settings, Access::Exclusive).await?;
    Ok((loaded.settings, store))
}

#[cfg(unix)]
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())
}
