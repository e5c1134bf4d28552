//! From the cause to what to do: settings, the page of Entra, and PowerShell with the values at hand.
//!
//! RBAC for Applications: <https://learn.microsoft.com/exchange/permissions-exo/application-rbac>; impersonation:
//! <https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-configure-impersonation>.

use super::{Cause, Facts, Proof, Way};

/// What stands for a value that nobody but the administrator knows.
const GROUP: &str = "MemberOfGroup -eq 'DISTINGUISHED NAME OF A GROUP'";

/// What to do, a line for each step. A line that begins with `PS> ` is to be run in the Exchange Management Shell, or in
/// Exchange Online PowerShell.
#[must_use]
pub fn advice(cause: Cause, facts: &Facts) -> Vec<String> {
    let lines = of_rights(cause, facts).or_else(|| of_application(cause, facts)).or_else(|| of_mailbox(cause, facts));
    lines.unwrap_or_else(|| vec![of_server(cause, facts)])
}

/// The server and the way to it.
fn of_server(cause: Cause, facts: &Facts) -> String {
    let key = if facts.mode.way == Way::Graph { "exchange.graph_url" } else { "exchange.ews_service_url" };
    let url = &facts.url;
    match cause {
        Cause::NameUnknown => format!("check the host name in {key} ({url}) and the DNS of this machine"),
        Cause::NotReachable => format!("check host and port in {key} ({url}), the firewall, and that the server runs"),
        Cause::TimedOut => {
            "check the firewall, and whether this machine reaches the server through a proxy only (network.proxy)"
                .to_owned()
        }
        Cause::CertificateExpired => format!("renew the certificate of {url}; it cannot be passed over"),
        Cause::CertificateNotYetValid => {
            "set the clock of this machine by NTP (timedatectl set-ntp true); if it is right, the certificate begins later"
                .to_owned()
        }
        Cause::CertificateUntrusted => {
            "name the authority that issued it in network.ca_file; where a proxy opens TLS, that is the proxy's authority"
                .to_owned()
        }
        Cause::ClientCertificate => {
            "give network.client_certificate_file and network.client_key_file, signed by an authority that the server knows"
                .to_owned()
        }
        Cause::TlsNothingInCommon => {
            "let the server, or what stands before it, speak TLS 1.2 or 1.3 with ECDHE and AES-GCM or ChaCha20".to_owned()
        }
        Cause::CertificateName => format!("write one of the names that the certificate lists into {key}, not {url}"),
        Cause::CertificateRefused => {
            format!("look at the certificate: openssl s_client -connect {} -showcerts", host_and_port(url))
        }
        Cause::ClockOff => {
            "set the clock of this machine by NTP (timedatectl set-ntp true); if it is right, the server's is wrong"
                .to_owned()
        }
        Cause::ProxyAuthentication => {
            "give the proxy's user in HTTPS_PROXY (http://user:password@proxy:port), or the server in NO_PROXY"
                .to_owned()
        }
        Cause::LoginPage => {
            format!("make what stands before {url} let this program through, or write the address behind it into {key}")
        }
        Cause::Redirect => format!("write the address that the server really has into {key} in place of {url}"),
        Cause::WrongPath if facts.mode.way == Way::Graph => format!("write the root alone into {key}, without /v1.0"),
        Cause::WrongPath => format!("end {key} with /EWS/Exchange.asmx; it is {url}"),
        Cause::NotThisService => format!("check {key} ({url}): another service answers there"),
        Cause::VersionUnknown => {
            let version = "set exchange.exchange_server_version to a version that this server knows";
            format!("{version}; Exchange2010_SP2 suits all since then")
        }
        Cause::ReadBackDiffers => {
            "do not push to this server yet: report what came back, with the server's version".to_owned()
        }
        Cause::Busy => {
            "try again in a few minutes; if it stays so, an administrator must look at the server".to_owned()
        }
        _ => "ask an administrator, with the code and the request id".to_owned(),
    }
}

/// The mailbox and its calendar.
fn of_mailbox(cause: Cause, facts: &Facts) -> Option<Vec<String>> {
    let mailbox = &facts.mailbox;
    let name = quoted(mailbox);
    Some(vec![match cause {
        Cause::AliasAddress => match &facts.primary {
            Some(primary) => format!("use {primary} in place of {mailbox} (the source, or jobs.NAME.addresses)"),
            None => format!("use the primary address: PS> Get-Recipient {name} | Format-List PrimarySmtpAddress"),
        },
        Cause::NoMailbox => {
            format!(
                "check {mailbox} in the source, jobs.NAME.addresses and exchange.identities, and that there is a mailbox"
            )
        }
        Cause::OtherSide if facts.mode.way == Way::Graph => {
            "it is on-premises or has no licence: reach each mailbox where it lives with exchange.protocol = \"auto\", or license it"
                .to_owned()
        }
        Cause::OtherSide => {
            "it is in Exchange Online: reach each mailbox where it lives with exchange.protocol = \"auto\"".to_owned()
        }
        Cause::OnBothSides => format!(
            "one of them is not meant to be: Get-Mailbox {mailbox} on-premises and Get-EXOMailbox {mailbox} online show both; \
             disable the one that nobody uses (Disable-Mailbox), so that the other is the only one"
        ),
        Cause::MailboxUnusable => format!("an Exchange administrator must look at the mailbox {mailbox}"),
        Cause::MailboxMoving => "wait until the move has ended; nothing is to be changed here".to_owned(),
        Cause::MailboxFull => "its owner or an administrator must make room".to_owned(),
        Cause::CalendarMissing => {
            "exchange.calendar names the calendar, exchange.create_calendar = true lets it be made".to_owned()
        }
        _ => return None,
    }])
}

/// Rights on Exchange.
fn of_rights(cause: Cause, facts: &Facts) -> Option<Vec<String>> {
    let (account, mailbox) = (quoted(&facts.account), quoted(&facts.mailbox));
    let is_token = facts.mode.proof == Proof::Token;
    let lines: Vec<String> = match cause {
        Cause::WrongPassword => vec![
            format!(
                "check exchange.delegated_user ({}): DOMAIN\\user or an address, as the server wants it",
                facts.account
            ),
            "check exchange.linked_password; one attempt was made with it".to_owned(),
            "a server that asks for Extended Protection refuses a right one too, where a proxy opens TLS on the way"
                .to_owned(),
        ],
        Cause::NoLogOn => vec![
            "set exchange.authentication to what the EWS virtual directory offers, or let it offer more:".to_owned(),
            "PS> Get-WebServicesVirtualDirectory | Format-List *Authentication*".to_owned(),
        ],
        Cause::AccountLocked => vec![
            format!("PS> Unlock-ADAccount -Identity {account}"),
            "find out who else uses an old password of the account before this program is started again".to_owned(),
        ],
        Cause::ImpersonationNotGranted | Cause::ImpersonationOutOfScope if is_token => application_role(facts),
        Cause::ImpersonationNotGranted => impersonation_role(&account),
        Cause::ImpersonationOutOfScope => {
            let shown = "Format-List Name,CustomRecipientWriteScope";
            let role = "-Role 'ApplicationImpersonation'";
            vec![
                format!("PS> Get-ManagementRoleAssignment {role} -RoleAssignee {account} | {shown}"),
                format!("put {} into that scope, or give the assignment another one:", facts.mailbox),
                "PS> Set-ManagementRoleAssignment 'NAME' -CustomRecipientWriteScope 'SCOPE'".to_owned(),
            ]
        }
        Cause::DelegateWithoutRights | Cause::DelegateReadsOnly if facts.mode.way == Way::Delegate => {
            let folder = quoted(&format!("{}:\\Calendar", facts.mailbox));
            let rights = "-AccessRights Editor -SharingPermissionFlags Delegate,CanViewPrivateItems";
            vec![
                format!("PS> Add-MailboxFolderPermission -Identity {folder} -User {account} {rights}"),
                "Set-MailboxFolderPermission changes rights that are there".to_owned(),
                format!(
                    "the folder's name in that language: PS> Get-MailboxFolderStatistics {mailbox} -FolderScope Calendar"
                ),
                "or turn exchange.use_impersonation on, with the role ApplicationImpersonation".to_owned(),
            ]
        }
        Cause::EwsBlocked if facts.mode.is_online => vec![
            "turn exchange.use_graph_api on: Microsoft ends EWS in Exchange Online on 2027-04-01".to_owned(),
            "PS> Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs"
                .to_owned(),
            format!("until then: PS> Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs {account}"),
            "(the whole list is written anew, and takes up to a day)".to_owned(),
            format!("PS> Get-CASMailbox {mailbox} | Format-List EwsEnabled"),
        ],
        Cause::EwsBlocked => vec![
            "PS> Get-OrganizationConfig | Format-List Ews* (this program calls itself calsyncd/VERSION)".to_owned(),
            format!("PS> Get-CASMailbox {mailbox} | Format-List Ews*"),
        ],
        _ => return None,
    };
    Some(lines)
}

/// The application in Entra, and its rights.
fn of_application(cause: Cause, facts: &Facts) -> Option<Vec<String>> {
    let page = format!("Entra admin center > App registrations > {}", facts.account);
    let secrets = format!("{page} > Certificates & secrets");
    let tenant = facts.tenant.as_deref().unwrap_or("unknown");
    let lines: Vec<String> = match cause {
        Cause::SecretExpired => vec![
            format!("make a new client secret: {secrets}"),
            "put its value into exchange.client_secret and reload".to_owned(),
        ],
        Cause::SecretIdForValue => vec![
            "put the column \"Value\" of the secret into exchange.client_secret, not \"Secret ID\"".to_owned(),
            format!("the value is shown once; where it is lost, make a new secret: {secrets}"),
        ],
        Cause::SecretWrong => {
            vec![format!("compare exchange.client_secret with {secrets}, or make a new secret there")]
        }
        Cause::TenantUnknown => vec![
            format!("exchange.tenant_id ({tenant}): copy the Directory (tenant) ID from Entra admin center > Overview"),
            "exchange.token_url and exchange.graph_url must be those of the tenant's cloud".to_owned(),
        ],
        Cause::WrongCloud => vec![
            "set exchange.cloud to that of the tenant: \"global\", \"us-gov-high\", \"us-gov-dod\" or \"china\""
                .to_owned(),
            "exchange.graph_url, ews_service_url and token_url, where they are given, must be of the same cloud"
                .to_owned(),
        ],
        Cause::ApplicationUnknown => vec![
            format!("exchange.client_id ({}): copy the Application (client) ID of the registration", facts.account),
            format!("it must be registered in, or consented to by, the tenant {tenant} (exchange.tenant_id)"),
        ],
        Cause::ApplicationDisabled => {
            let place = format!("Entra admin center > Enterprise applications > {} > Properties", facts.account);
            vec![format!("{place}: enable it for users to sign in")]
        }
        Cause::TenantPolicy => vec![
            "Entra admin center > Protection > Conditional Access: let this application through".to_owned(),
            "Entra admin center > Enterprise applications: assign it to those it is for".to_owned(),
        ],
        Cause::AssertionRefused => vec![
            format!("upload the certificate that this program uses: {secrets} > Certificates"),
            "check the clock of this machine".to_owned(),
        ],
        Cause::ProofUnusable => vec![
            "check exchange.federated_token_file, or application_certificate_file, with `calsyncd check`".to_owned(),
            "see that whoever writes the token still does, and that the user of the service may read it".to_owned(),
        ],
        Cause::TokenAddress => {
            vec!["check exchange.token_url: https://login.microsoftonline.com/TENANT/oauth2/v2.0/token".to_owned()]
        }
        Cause::TokenRefused => vec![
            "the token is for another service or cloud, or was revoked".to_owned(),
            "check exchange.token_url, exchange.tenant_id and exchange.graph_url against each other".to_owned(),
        ],
        Cause::NoConsent | Cause::RoleMissing | Cause::OutOfScope => application_role(facts),
        Cause::NotRefused => vec![
            format!("remove the permission that holds for the whole tenant: {page} > API permissions"),
            "the role that is assigned in Exchange stays; beside the other one its scope restricts nothing".to_owned(),
            authorization(facts),
        ],
        _ => return None,
    };
    Some(lines)
}

/// The role of an account, with a scope.
fn impersonation_role(account: &str) -> Vec<String> {
    let assignment = "New-ManagementRoleAssignment -Name 'calsyncd' -Role 'ApplicationImpersonation'";
    vec![
        format!("PS> New-ManagementScope -Name 'calsyncd' -RecipientRestrictionFilter \"{GROUP}\""),
        format!("PS> {assignment} -User {account} -CustomRecipientWriteScope 'calsyncd'"),
        "or turn exchange.use_impersonation off, and give the account Editor rights in each calendar".to_owned(),
    ]
}

/// The command that tells what an application may do in a mailbox.
fn authorization(facts: &Facts) -> String {
    let (application, mailbox) = (quoted(&facts.account), quoted(&facts.mailbox));
    format!("PS> Test-ServicePrincipalAuthorization -Identity {application} -Resource {mailbox}")
}

/// The role of an application, with a scope.
fn application_role(facts: &Facts) -> Vec<String> {
    let (application, mailbox) = (quoted(&facts.account), quoted(&facts.mailbox));
    let (exchange, entra) = match facts.mode.way {
        Way::Graph => ("Application Calendars.ReadWrite", "Microsoft Graph > Calendars.ReadWrite"),
        Way::Impersonation | Way::Delegate => {
            ("Application EWS.AccessAsApp", "Office 365 Exchange Online > full_access_as_app")
        }
    };
    let assignment = format!("New-ManagementRoleAssignment -App {application} -Role '{exchange}'");
    vec![
        format!("PS> New-ServicePrincipal -AppId {application} -ObjectId 'OBJECT ID OF THE ENTERPRISE APPLICATION'"),
        format!("PS> New-ManagementScope -Name 'calsyncd' -RecipientRestrictionFilter \"{GROUP}\""),
        format!("PS> {assignment} -CustomResourceScope 'calsyncd'"),
        authorization(facts),
        format!("an old policy: PS> Test-ApplicationAccessPolicy -AppId {application} -Identity {mailbox}"),
        format!(
            "or, for the whole tenant: Entra admin center > App registrations > {} > API permissions",
            facts.account
        ),
        format!("add {entra} there as an application permission, and grant admin consent"),
        "a change takes half an hour or more".to_owned(),
    ]
}

/// A text as PowerShell quotes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn host_and_port(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    if host.contains(':') { host.to_owned() } else { format!("{host}:443") }
}

#[cfg(test)]
mod tests {
    use super::{advice, host_and_port};
    use crate::diagnosis::{Cause, Facts, Mode, Proof, Way};

    fn facts(way: Way, proof: Proof, is_online: bool) -> Facts {
        Facts {
            mode: Mode { way, proof, is_online },
            mailbox: "o'neil@example.test".to_owned(),
            account: "CORP\\svc".to_owned(),
            tenant: None,
            url: "https://mail.example.test/ews".to_owned(),
            primary: None,
        }
    }

    #[test]
    fn advice_is_filled_with_the_values_at_hand() {
        let on_premises = facts(Way::Impersonation, Proof::Password, false);
        let delegate = facts(Way::Delegate, Proof::Password, false);
        let graph = facts(Way::Graph, Proof::Token, true);
        for (cause, facts, expected) in [
            (Cause::ImpersonationNotGranted, &on_premises, "-Role 'ApplicationImpersonation' -User 'CORP\\svc'"),
            (Cause::DelegateWithoutRights, &delegate, "-Identity 'o''neil@example.test:\\Calendar' -User 'CORP\\svc'"),
            (Cause::OutOfScope, &graph, "-Role 'Application Calendars.ReadWrite'"),
            (Cause::OutOfScope, &graph, "-Resource 'o''neil@example.test'"),
            (Cause::WrongPath, &on_premises, "/EWS/Exchange.asmx"),
            (Cause::CertificateRefused, &on_premises, "mail.example.test:443"),
        ] {
            let lines = advice(cause, facts).join("\n");
            assert!(lines.contains(expected), "{cause:?}: {lines}");
        }
    }

    #[test]
    fn a_host_has_a_port() {
        assert_eq!(host_and_port("http://127.0.0.1:80/x"), "127.0.0.1:80");
        assert_eq!(host_and_port("https://mail.example.test/x"), "mail.example.test:443");
    }
}
