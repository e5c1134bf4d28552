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
    if let Some(lines) = of_rights(cause, facts).or_else(|| of_application(cause, facts)) {
        return lines;
    }
    let url_key = if facts.mode.way == Way::Graph { "exchange.graph_url" } else { "exchange.ews_service_url" };
    let url = &facts.url;
    let text = match cause {
        Cause::NameUnknown => format!("check the host name in {url_key} ({url}) and the DNS of this machine"),
        Cause::NotReachable => format!("check host and port in {url_key} ({url}), the firewall, and that the server runs"),
        Cause::TimedOut => "check the firewall, and whether this machine reaches the server through a proxy only \
                            (environment variable HTTPS_PROXY)"
            .to_owned(),
        Cause::CertificateExpired => format!("renew the certificate of the server behind {url}; it cannot be passed over"),
        Cause::CertificateUntrusted => "add the certificate of the authority that issued it to the trusted ones of this \
                                        machine (update-ca-certificates, update-ca-trust); where a proxy opens TLS, that is \
                                        the proxy's authority"
            .to_owned(),
        Cause::CertificateName => format!("write one of the names that the certificate lists into {url_key} in place of {url}"),
        Cause::CertificateRefused => format!("look at the certificate: openssl s_client -connect {} -showcerts", host_and_port(url)),
        Cause::ClockOff => "set the clock of this machine by NTP (timedatectl set-ntp true); if it is right, that of the server \
                            is wrong"
            .to_owned(),
        Cause::ProxyAuthentication => "give the proxy's user in HTTPS_PROXY (http://user:password@proxy:port), or name the \
                                       server in NO_PROXY"
            .to_owned(),
        Cause::LoginPage => format!("make the gateway in front of {url} let this program through without its sign-in page, or write \
                                     the address of the server behind it into {url_key}"),
        Cause::Redirect => format!("write the address that the server really has into {url_key} in place of {url}"),
        Cause::WrongPath if facts.mode.way == Way::Graph => format!("write the root alone into {url_key}, without /v1.0"),
        Cause::WrongPath => format!("end {url_key} with /EWS/Exchange.asmx; it is {url}"),
        Cause::NotThisService => format!("check {url_key} ({url}): another service answers there"),
        Cause::VersionUnknown => "set exchange.exchange_server_version to a version that this server knows; Exchange2010_SP2 suits \
                                  all since then"
            .to_owned(),
        Cause::AliasAddress => match &facts.primary {
            Some(primary) => format!("use {primary} in place of {} (jobs.NAME.addresses, or the source)", facts.mailbox),
            None => format!("use the primary address in place of {}: Get-Recipient {} | Format-List PrimarySmtpAddress", facts.mailbox, quoted(&facts.mailbox)),
        },
        Cause::NoMailbox => format!("check the address {} in the source or in jobs.NAME.addresses, and that the person has a mailbox", facts.mailbox),
        Cause::OtherSide if facts.mode.way == Way::Graph => "the mailbox is on-premises or has no licence: push to it by EWS, from an instance of its own, or license it".to_owned(),
        Cause::OtherSide => "the mailbox is in Exchange Online: push to it with use_graph_api, from an instance of its own".to_owned(),
        Cause::MailboxUnusable => format!("an Exchange administrator must look at the mailbox {}", facts.mailbox),
        Cause::MailboxMoving => "wait until the move has ended; nothing is to be changed here".to_owned(),
        Cause::MailboxFull => "its owner or an administrator must make room".to_owned(),
        Cause::CalendarMissing => "see the sentence above; exchange.calendar and exchange.create_calendar choose the calendar".to_owned(),
        Cause::ReadBackDiffers => "do not push to this server yet: report what came back, with its version".to_owned(),
        Cause::Busy => "try again in a few minutes; if it stays so, an administrator must look at the server".to_owned(),
        _ => "ask an administrator, with the code and the request id above".to_owned(),
    };
    vec![text]
}

/// Rights on Exchange.
fn of_rights(cause: Cause, facts: &Facts) -> Option<Vec<String>> {
    let (account, mailbox) = (quoted(&facts.account), quoted(&facts.mailbox));
    Some(match cause {
        Cause::WrongPassword => vec![
            format!("check exchange.delegated_user ({}) and exchange.linked_password: DOMAIN\\user or an address, as the server wants it", facts.account),
            "one attempt was made; the account is not tried again until the settings are loaded anew".to_owned(),
            "where the server asks for Extended Protection, or takes no Basic authentication, a right password is refused too".to_owned(),
        ],
        Cause::AccountLocked => vec![
            format!("PS> Unlock-ADAccount -Identity {account}"),
            "find out who else uses an old password of the account before this program is started again".to_owned(),
        ],
        Cause::ImpersonationNotGranted if facts.mode.proof == Proof::Token => application_role(facts),
        Cause::ImpersonationNotGranted => vec![
            format!("PS> New-ManagementScope -Name 'calsyncd' -RecipientRestrictionFilter \"{GROUP}\""),
            format!("PS> New-ManagementRoleAssignment -Name 'calsyncd' -Role 'ApplicationImpersonation' -User {account} -CustomRecipientWriteScope 'calsyncd'"),
            "or turn exchange.use_impersonation off, and give the account Editor rights in each calendar".to_owned(),
        ],
        Cause::ImpersonationOutOfScope if facts.mode.proof == Proof::Token => application_role(facts),
        Cause::ImpersonationOutOfScope => vec![
            format!("PS> Get-ManagementRoleAssignment -Role 'ApplicationImpersonation' -RoleAssignee {account} | Format-List Name,CustomRecipientWriteScope"),
            format!("put {} into that scope, or give the account another one: PS> Set-ManagementRoleAssignment 'calsyncd' -CustomRecipientWriteScope 'calsyncd'", facts.mailbox),
        ],
        Cause::DelegateWithoutRights | Cause::DelegateReadsOnly if facts.mode.way == Way::Delegate => vec![
            format!("PS> Add-MailboxFolderPermission -Identity {} -User {account} -AccessRights Editor -SharingPermissionFlags Delegate,CanViewPrivateItems", quoted(&format!("{}:\\Calendar", facts.mailbox))),
            format!("(Set-MailboxFolderPermission where there is one already; the folder has another name in other languages: PS> Get-MailboxFolderStatistics {mailbox} -FolderScope Calendar)"),
            "or turn exchange.use_impersonation on, with the role ApplicationImpersonation".to_owned(),
        ],
        Cause::EwsBlocked if facts.mode.is_online => vec![
            "turn exchange.use_graph_api on: Microsoft ends EWS in Exchange Online on 2027-04-01, and blocks it tenant by tenant".to_owned(),
            "PS> Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs".to_owned(),
            format!("until then: PS> Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs {account} (the whole list is written anew; it takes up to a day)"),
            format!("PS> Get-CASMailbox {mailbox} | Format-List EwsEnabled"),
        ],
        Cause::EwsBlocked => vec![
            "PS> Get-OrganizationConfig | Format-List EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList (this program is calsyncd/VERSION)".to_owned(),
            format!("PS> Get-CASMailbox {mailbox} | Format-List EwsEnabled,EwsApplicationAccessPolicy"),
        ],
        _ => return None,
    })
}

/// The application in Entra, and its rights.
fn of_application(cause: Cause, facts: &Facts) -> Option<Vec<String>> {
    let page = format!("Entra admin center > App registrations > {}", facts.account);
    let tenant = facts.tenant.as_deref().unwrap_or("the tenant");
    Some(match cause {
        Cause::SecretExpired => vec![
            format!("{page} > Certificates & secrets: make a new client secret"),
            "put its value into exchange.client_secret and reload".to_owned(),
        ],
        Cause::SecretIdForValue => vec![
            "put the column \"Value\" of the secret into exchange.client_secret, not the column \"Secret ID\"".to_owned(),
            format!("the value is shown once: if it is lost, make a new secret in {page} > Certificates & secrets"),
        ],
        Cause::SecretWrong => vec![format!("compare exchange.client_secret with {page} > Certificates & secrets, or make a new secret there")],
        Cause::TenantUnknown => vec![
            format!("exchange.tenant_id is {tenant}: copy the Directory (tenant) ID from Entra admin center > Overview"),
            "exchange.token_url and exchange.graph_url must be those of the tenant's cloud".to_owned(),
        ],
        Cause::WrongCloud => vec![
            "set exchange.graph_url (or ews_service_url) and exchange.token_url to the hosts of the tenant's cloud".to_owned(),
            "US government: graph.microsoft.us and login.microsoftonline.us (DoD: dod-graph.microsoft.us); China: \
             microsoftgraph.chinacloudapi.cn and login.chinacloudapi.cn"
                .to_owned(),
        ],
        Cause::ApplicationUnknown => vec![
            format!("exchange.client_id is {}: copy the Application (client) ID of the app registration", facts.account),
            format!("the application must be registered in, or consented to by, the tenant {tenant} (exchange.tenant_id)"),
        ],
        Cause::ApplicationDisabled => vec![format!("Entra admin center > Enterprise applications > {} > Properties: enable it for users to sign in", facts.account)],
        Cause::TenantPolicy => vec!["Entra admin center > Protection > Conditional Access: let this application through (workload identities), or assign it to those it is for".to_owned()],
        Cause::AssertionRefused => vec![
            format!("{page} > Certificates & secrets > Certificates: upload the certificate that this program uses"),
            "check the clock of this machine".to_owned(),
        ],
        Cause::TokenAddress => vec!["check exchange.token_url: https://login.microsoftonline.com/TENANT/oauth2/v2.0/token".to_owned()],
        Cause::TokenRefused => vec!["the token is for another service or cloud: check exchange.token_url, exchange.tenant_id and exchange.graph_url against each other".to_owned()],
        Cause::NoConsent | Cause::RoleMissing | Cause::OutOfScope => application_role(facts),
        Cause::NotRefused => vec![
            format!("the scope restricts nothing while the tenant-wide permission is there: {page} > API permissions: remove it, \
                     and keep the role that is assigned in Exchange"),
            format!("PS> Test-ServicePrincipalAuthorization -Identity {} -Resource {}", quoted(&facts.account), quoted(&facts.mailbox)),
        ],
        _ => return None,
    })
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
    vec![
        format!("PS> New-ServicePrincipal -AppId {application} -ObjectId 'OBJECT ID OF THE ENTERPRISE APPLICATION'"),
        format!("PS> New-ManagementScope -Name 'calsyncd' -RecipientRestrictionFilter \"{GROUP}\""),
        format!(
            "PS> New-ManagementRoleAssignment -App {application} -Role '{exchange}' -CustomResourceScope 'calsyncd'"
        ),
        format!("PS> Test-ServicePrincipalAuthorization -Identity {application} -Resource {mailbox}"),
        format!(
            "an old policy may leave the mailbox out: PS> Test-ApplicationAccessPolicy -AppId {application} -Identity {mailbox}"
        ),
        format!(
            "or, for the whole tenant: Entra admin center > App registrations > {} > API permissions > {entra}, and grant admin consent",
            facts.account
        ),
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
