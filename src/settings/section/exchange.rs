//! `[exchange]`: the fields of Akuiteo's Exchange page, and which of them go together.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    super::{
        AddressForm, Authentication, Credential, EwsAccess, Exchange, Identities, Identity, NamedCalendar, Protocol,
        ServerVersion, SideSettings,
        cloud::{CLOUDS, Cloud},
        reader::{Given, Reader, Section},
        schema,
        secret::{Secret, SecretOrigin},
        service_url::{ServiceUrl, is_exchange_online, is_loopback},
        words,
    },
    application,
};
use crate::model::{address::Address, side::Side};

/// Covers everything that is needed: zones of start and end, partial pages. Microsoft advises the lowest such schema.
const VERSION_DEFAULT: ServerVersion = ServerVersion::Exchange2010_SP2;
/// Fields without a meaning to Graph.
const EWS_ONLY: [&str; 8] = [
    "delegated_user",
    "linked_password",
    "linked_password_file",
    "authentication",
    "ews_service_url",
    "exchange_server_version",
    "impersonate_by",
    "identities",
];
/// Fields without a meaning to a delegate.
const IMPERSONATION_ONLY: [&str; 2] = ["impersonate_by", "identities"];
/// The side that a key is about, where both are used; `None` for both.
#[must_use]
pub fn side_of_key(key: &str) -> Option<Side> {
    let key = key.strip_prefix("exchange.")?;
    let name = key.split('.').next().unwrap_or(key);
    if EWS_ONLY.contains(&name) || name == "use_impersonation" {
        Some(Side::Ews)
    } else {
        (application::KEYS.contains(&name) || name == "graph_url").then_some(Side::Graph)
    }
}

/// The longest name of a calendar; Exchange takes 255 characters, Graph too.
const CALENDAR_LENGTH_MAX: usize = 255;

/// The section resolved, and where its secrets came from.
pub(in super::super) struct ExchangeRead {
    /// The section.
    pub(in super::super) exchange: Exchange,
    /// The keys of the secrets and their origins.
    pub(in super::super) secrets: Vec<(String, SecretOrigin)>,
}

/// Reads the section; `None` when a finding says why it cannot be used.
pub(in super::super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<ExchangeRead> {
    reader.unknown_keys(section, schema::EXCHANGE);
    let max_threads = reader.number(section, "max_threads", 1_u16..=100).map_or(4, |given| given.value);
    let test_user = reader.text(section, "test_user").and_then(|given| reader.address_at(&given));
    let calendar = calendar(reader, section);
    let is_hybrid = protocol(reader, section)?;
    let use_oauth = reader.switch(section, "use_oauth").is_some_and(|given| given.value);
    let use_graph_api = reader.switch(section, "use_graph_api").is_some_and(|given| given.value);
    let cloud = reader.word(section, "cloud", CLOUDS);
    let read = if is_hybrid {
        refuse_switches(reader, section);
        let on_premises = ews(reader, section, Use::Hybrid, None);
        let online = graph(reader, section, cloud, HYBRID);
        vec![(Side::Ews, on_premises), (Side::Graph, online)]
    } else if use_graph_api {
        refuse_ews_fields(reader, section);
        vec![(Side::Graph, graph(reader, section, cloud, "when use_graph_api is on"))]
    } else {
        let access = if use_oauth { Use::Application } else { Use::Password };
        vec![(Side::Ews, ews(reader, section, access, cloud))]
    };
    let (mut sides, mut secrets) = (BTreeMap::new(), Vec::new());
    for (side, (protocol, credential)) in read {
        let (protocol, (credential, of_side)) = (protocol?, credential?);
        sides.insert(side, SideSettings { protocol, credential });
        secrets.extend(of_side);
    }
    Some(ExchangeRead { exchange: Exchange { sides, max_threads, test_user, calendar }, secrets })
}

/// Why fields of both sides are needed.
const HYBRID: &str = "when protocol is \"auto\"";

/// How EWS is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// By an account with a password.
    Password,
    /// By an application.
    Application,
    /// By an account with a password, for the mailboxes of a hybrid that live on-premises.
    Hybrid,
}

/// Whether the protocol is chosen for each mailbox; `None` when a finding says why that is not known.
fn protocol(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<bool> {
    if !section.has("protocol") {
        return Some(false);
    }
    let given = reader.text(section, "protocol")?;
    if given.value == "auto" {
        return Some(true);
    }
    let hint =
        "write \"auto\" for a hybrid; for one protocol alone take it out: use_graph_api chooses between EWS and Graph";
    reader.error(&given.place, format!("{:?} is not a value of `protocol`", given.value), hint);
    None
}

/// Switches that choose one side, where both are used.
fn refuse_switches(reader: &mut Reader<'_>, section: &Section<'_>) {
    for key in ["use_oauth", "use_graph_api"] {
        if let Some(given) = reader.switch(section, key).filter(|given| given.value) {
            let message =
                format!("`{key}` chooses one way for all mailboxes, and protocol = \"auto\" chooses for each");
            let hint =
                "take one of them out; with \"auto\", EWS is used with the password and Graph with the application";
            reader.error(&given.place, message, hint);
        }
    }
}

/// The calendar beside the default one.
fn calendar(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<NamedCalendar> {
    let name = reader.text(section, "calendar");
    let create = reader.switch(section, "create_calendar");
    match (name, create) {
        (Some(name), _) if name.value.chars().count() > CALENDAR_LENGTH_MAX => {
            reader.error(&name.place, "the name of the calendar is too long", "Outlook takes at most 255 characters");
            None
        }
        (Some(name), create) => {
            Some(NamedCalendar { name: name.value, create: create.is_some_and(|create| create.value) })
        }
        (None, Some(create)) if create.value => {
            let message = "`create_calendar` has no effect without `calendar`: the default calendar is always there";
            reader.warn(&create.place, message, "name the calendar, or take it out");
            None
        }
        (None, _) => None,
    }
}

/// By which name each mailbox is impersonated.
fn identities(reader: &mut Reader<'_>, section: &Section<'_>) -> Identities {
    let form = reader.word(section, "impersonate_by", words::ADDRESS_FORMS);
    let form = form.map_or(AddressForm::SmtpAddress, |given| given.value);
    let mut named = BTreeMap::new();
    for (mailbox, given) in reader.table(section, "identities") {
        let address = Given { value: mailbox, place: given.place.clone() };
        let mailbox: Option<Address> = reader.address_at(&address);
        let identity = Identity::parse(&given.value);
        if identity.is_none() {
            let message = format!("{:?} is neither a user principal name nor a security identifier", given.value);
            let hint = "write \"ana@corp.example.org\", or \"S-1-5-21-…\"";
            reader.error(&given.place, message, hint);
        }
        named.extend(mailbox.zip(identity));
    }
    Identities { form, named }
}

/// A credential, and where its secrets came from.
pub(super) type CredentialRead = (Credential, Vec<(String, SecretOrigin)>);

fn refuse_ews_fields(reader: &mut Reader<'_>, section: &Section<'_>) {
    let hint = "take it out, or turn use_graph_api off";
    for key in EWS_ONLY.into_iter().filter(|key| section.has(key)) {
        let place = reader.place_of(section, key);
        reader.error(&place, format!("`{key}` is a field of EWS, and use_graph_api is on"), hint);
    }
    if let Some(given) = reader.switch(section, "use_impersonation").filter(|given| given.value) {
        let message = "`use_impersonation` is a field of EWS, and use_graph_api is on: Graph needs none";
        reader.error(&given.place, message, hint);
    }
}

fn graph(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    cloud: Option<Given<Cloud>>,
    reason: &'static str,
) -> (Option<Protocol>, Option<CredentialRead>) {
    let given = reader.url(section, "graph_url");
    let faulty = section.has("graph_url") && given.is_none();
    let root = match &given {
        Some(given) if given.value.path != "/" => {
            let hint = "write the root without /v1.0, such as \"https://graph.microsoft.com\"";
            reader.error(&given.place, "the address of Graph has a path", hint);
            None
        }
        Some(given) => Some(given.value.origin.clone()),
        None if faulty => None,
        None => Some(cloud.as_ref().map_or(Cloud::Global, |cloud| cloud.value).graph_root()),
    };
    let scope = root.as_ref().map(|root| format!("{root}/.default"));
    let wanted = application::Wanted { reason, service: given, scope, cloud };
    let credential = application::read(reader, section, wanted);
    (root.map(|root| Protocol::Graph { root }), credential)
}

fn ews(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    used: Use,
    cloud: Option<Given<Cloud>>,
) -> (Option<Protocol>, Option<CredentialRead>) {
    reader.needed(
        section,
        "ews_service_url",
        "unless use_graph_api is on",
        "write ews_service_url = \"https://mail.example.org/EWS/Exchange.asmx\"",
    );
    if used != Use::Hybrid && section.has("graph_url") {
        let place = reader.place_of(section, "graph_url");
        reader.warn(&place, "`graph_url` has no effect while use_graph_api is off", "take it out");
    }
    let url = reader.url(section, "ews_service_url");
    let version = reader.word(section, "exchange_server_version", ServerVersion::WORDS);
    let version = version.map_or(VERSION_DEFAULT, |given| given.value);
    let impersonation = reader.switch(section, "use_impersonation").is_some_and(|given| given.value);
    if used == Use::Application && !impersonation {
        let key = if section.has("use_impersonation") { "use_impersonation" } else { "use_oauth" };
        let place = reader.place_of(section, key);
        reader.error(
            &place,
            "use_oauth without use_impersonation cannot work: an application has no mailbox and no delegate rights of its own",
            "turn use_impersonation on, or use Graph with use_graph_api",
        );
    }
    let access = if impersonation {
        EwsAccess::Impersonation(identities(reader, section))
    } else {
        for key in IMPERSONATION_ONLY.into_iter().filter(|key| section.has(key)) {
            let place = reader.place_of(section, key);
            reader.warn(&place, format!("`{key}` has no effect while use_impersonation is off"), "take it out");
        }
        EwsAccess::Delegate
    };
    if let Some(url) = &url {
        judge_server(reader, section, url, used);
    }
    let protocol = url.as_ref().map(|url| {
        let ends = is_exchange_online(&url.value.host).then(ends_online);
        Protocol::Ews { url: url.value.text.clone(), version, access, ends }
    });
    let credential = if used == Use::Application {
        warn_unused(
            reader,
            section,
            &["delegated_user", "linked_password", "linked_password_file", "authentication"],
            "is on",
        );
        let scope = url.as_ref().map(|url| scope_of_ews(&url.value));
        let wanted = application::Wanted { reason: "when use_oauth is on", service: url, scope, cloud };
        application::read(reader, section, wanted)
    } else {
        if used == Use::Password {
            warn_unused(reader, section, &application::KEYS, "is off");
        }
        password(reader, section, used)
    };
    (protocol, credential)
}

/// When Microsoft ends EWS in Exchange Online.
/// <https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-ews-exchange-online>
fn ends_online() -> Timestamp {
    Date::constant(2027, 4, 1).to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |day| day.timestamp())
}

/// What the address of the server says about how it can be used.
fn judge_server(reader: &mut Reader<'_>, section: &Section<'_>, url: &Given<ServiceUrl>, used: Use) {
    let is_online = is_exchange_online(&url.value.host);
    let use_oauth = used == Use::Application;
    if is_online && used == Use::Hybrid {
        let message = "with protocol = \"auto\" this is the address of the servers on-premises, and Exchange Online is none of them";
        reader.error(
            &url.place,
            message,
            "give the address of EWS on-premises; mailboxes of Exchange Online are reached by Graph",
        );
    } else if is_online {
        reader.warn(
            &url.place,
            "Microsoft ends EWS in Exchange Online on 2027-04-01, and blocks it tenant by tenant since 2026-10-01: nothing is \
             sent there from that day on",
            "turn use_graph_api on",
        );
        if !use_oauth {
            let place = reader.place_of(section, "use_oauth");
            reader.error(
                &place,
                "Exchange Online takes no passwords for EWS: use_oauth is needed",
                "turn use_oauth and use_impersonation on, or better use_graph_api",
            );
        }
    } else if use_oauth && !is_loopback(&url.value.host) {
        let place = reader.place_of(section, "use_oauth");
        reader.warn(
            &place,
            "use_oauth is for Exchange Online; a server of one's own seldom accepts the token of an application",
            "give delegated_user and a linked password, unless the server is known to accept it",
        );
    }
    if !url.value.path.to_ascii_lowercase().ends_with(".asmx") {
        let hint = "it usually ends with /EWS/Exchange.asmx";
        reader.warn(&url.place, "the address does not look like that of EWS", hint);
    }
}

fn warn_unused(reader: &mut Reader<'_>, section: &Section<'_>, keys: &[&str], state: &str) {
    for key in keys.iter().filter(|key| section.has(key)) {
        let place = reader.place_of(section, key);
        reader.warn(&place, format!("`{key}` has no effect while use_oauth {state}"), "take it out");
    }
}

fn password(reader: &mut Reader<'_>, section: &Section<'_>, used: Use) -> Option<CredentialRead> {
    let reason = match used {
        Use::Hybrid => HYBRID,
        Use::Password | Use::Application => "when use_oauth and use_graph_api are off",
    };
    reader.needed(
        section,
        "delegated_user",
        reason,
        "name the account: delegated_user = \"EXAMPLE\\\\calsyncd\" or an address",
    );
    let authentication = authentication(reader, section);
    let user = reader.text(section, "delegated_user");
    let basic = authentication != Some(Authentication::Ntlm);
    if let Some(user) = user.as_ref().filter(|user| basic && user.value.contains(':')) {
        reader.error(
            &user.place,
            "a user name for Basic authentication holds no colon",
            "write DOMAIN\\user or an address",
        );
        return None;
    }
    let secret = needed_secret(reader, section, "linked_password", reason)?;
    let credential =
        Credential::Password { authentication: authentication?, user: user?.value, password: secret.value };
    Some((credential, vec![("exchange.linked_password".to_owned(), secret.origin)]))
}

/// How the password is shown; what is known and not supported is named as such.
fn authentication(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Authentication> {
    if !section.has("authentication") {
        return Some(Authentication::Auto);
    }
    let given = reader.text(section, "authentication")?;
    if ["kerberos", "negotiate", "digest"].contains(&given.value.to_ascii_lowercase().as_str()) {
        let hint = "use \"ntlm\" and let the EWS virtual directory offer it: \
                    Set-WebServicesVirtualDirectory -WindowsAuthentication $true, provider NTLM in IIS";
        reader.error(&given.place, format!("{:?} is not supported", given.value), hint);
        return None;
    }
    reader.word_at(&given, words::AUTHENTICATIONS).map(|given| given.value)
}

pub(super) fn needed_secret(reader: &mut Reader<'_>, section: &Section<'_>, key: &str, reason: &str) -> Option<Secret> {
    if !reader.has_secret(section, key) {
        let hint = format!(
            "name a file with {key}_file, or give a systemd credential: LoadCredential={key}:/etc/calsyncd/{key}"
        );
        reader.needed(section, key, reason, &hint);
    }
    reader.secret(section, key)
}

/// The resource of EWS: one name for each of Microsoft's clouds, else the server itself.
fn scope_of_ews(url: &ServiceUrl) -> String {
    let resource = match Cloud::of_host(&url.host).as_slice() {
        [cloud] => cloud.ews_resource(),
        _ => url.origin.clone(),
    };
    format!("{resource}/.default")
}
