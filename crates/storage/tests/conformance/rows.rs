//! Rows with every field filled, so that what is not kept is noticed.

use guard::Row;
use jiff::Timestamp;
use model::{
    Client, ClientGrant, ClientGrantId, ClientId, ClientRecord, Connection, ConnectionId,
    ConnectionOptions, ContentFormat, EmailProvider, EmailTemplate, EventCategory, EventType,
    Identifier, Identity, JwtConfiguration, LogEvent, LogId, LogStream, LogStreamId,
    LogStreamSettings, LogStreamStatus, ResourceServer, ResourceServerId, SigningAlgorithm,
    SubjectType, Tenant, TenantId, TenantSettings, TicketKind, User, UserId, UserRecord,
};
use serde_json::{Map, Value, json};
use storage::{
    AccessTokenRecord, BreachTally, ClaimedMail, ConnectionRecord, DayCounts, EmailProviderRecord,
    EmailTemplateRecord, JobRecord, LogStreamDelivery, LogStreamRecord, MeterKey, MeterWrite,
    QueuedMail, ResourceServerRecord, Shown, SigningKeyRecord, SigningKeyState, TicketRecord,
};

/// Microseconds after a fixed instant.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_790_000_000_000_000 + micros).unwrap()
}

/// A stream that begins at 0.
pub(crate) fn log_stream(id: &str) -> LogStreamRecord {
    LogStreamRecord {
        stream: LogStream {
            id: LogStreamId::new(id),
            status: LogStreamStatus::Active,
            settings: LogStreamSettings {
                name: Some("SIEM".to_owned()),
                endpoint: "https://siem.example.com/in".to_owned(),
                content_format: ContentFormat::Array,
                content_type: "application/json".to_owned(),
                filters: vec![EventCategory::LoginFail, EventCategory::Other],
                is_priority: true,
            },
        },
        secrets_sealed: Some(vec![4, 5, 6]),
        created_at: at(0),
        version: 1,
        delivery: LogStreamDelivery::from(LogId::new("900"), at(0)),
    }
}

pub(crate) fn mail(id: &str, due: i64) -> QueuedMail {
    QueuedMail {
        mail_id: id.to_owned(),
        kind: "blocked_account".to_owned(),
        recipient: "ana@example.com".to_owned(),
        message_id: format!("<{id}@one.example.com>"),
        sealed: vec![1, 2, 3],
        created_at: at(due),
        next_try_at: at(due),
    }
}

pub(crate) fn job(id: &str) -> JobRecord {
    JobRecord {
        job_id: id.to_owned(),
        document: Map::from_iter([("status".to_owned(), json!("completed"))]),
        created_at: at(0),
        expires_at: at(100),
    }
}

/// One login and two sign-ups.
pub(crate) fn day_counts(day: i64) -> DayCounts {
    DayCounts {
        day,
        logins: 1,
        signups: 2,
        first_at: at(day),
    }
}

/// As its first claimer has it.
pub(crate) fn claimed_mail(id: &str) -> ClaimedMail {
    ClaimedMail {
        mail: mail(id, 0),
        attempt: 1,
        last_error: None,
    }
}

pub(crate) fn email_provider() -> EmailProviderRecord {
    EmailProviderRecord {
        provider: EmailProvider {
            enabled: true,
            default_from_address: Some("Shop <shop@example.com>".to_owned()),
            smtp_host: "mail.example.com".to_owned(),
            smtp_port: 587,
            smtp_user: Some("shop".to_owned()),
            settings: None,
        },
        password_sealed: Some(vec![1, 2, 3]),
        version: 1,
    }
}

pub(crate) fn email_template(name: &str) -> EmailTemplate {
    EmailTemplate {
        template: name.to_owned(),
        body: "<p>{{ url }}</p>".to_owned(),
        from: String::new(),
        subject: "Hello".to_owned(),
        result_url: Some("https://shop.example.com/".to_owned()),
        url_lifetime_in_seconds: Some(3_600),
        include_email_in_redirect: None,
        enabled: true,
    }
}

/// Of the user `auth0|1`; it lives for 100 microseconds.
pub(crate) fn ticket(number: u8) -> TicketRecord {
    TicketRecord {
        digest: [number; 32],
        kind: TicketKind::Unblock,
        user_id: Some(UserId::new("auth0|1")),
        document: Map::from_iter([("ip".to_owned(), "192.0.2.1".into())]),
        created_at: at(0),
        expires_at: at(100),
    }
}

pub(crate) fn email_template_record(name: &str) -> EmailTemplateRecord {
    EmailTemplateRecord {
        template: email_template(name),
        version: 1,
    }
}

pub(crate) fn tenant(id: &str, domain: &str) -> Tenant {
    Tenant {
        id: TenantId::new(id),
        name: "one".to_owned(),
        domain: domain.to_owned(),
        aliases: vec![format!("alias.{domain}")],
        settings: TenantSettings {
            default_directory: Some("Users".to_owned()),
            default_audience: None,
            resource_parameter_profile: None,
            rest: rest(),
        },
        attack_protection: model::AttackProtection::default(),
        logs: model::LogSettings { retention_days: 7 },
        version: 1,
    }
}

pub(crate) fn client(id: &str) -> ClientRecord {
    ClientRecord {
        client: Client {
            client_id: ClientId::new(id),
            name: "a \"backend\" – $1 ?1".to_owned(),
            app_type: None,
            token_endpoint_auth_method: None,
            is_token_endpoint_ip_header_trusted: true,
            grant_types: vec!["password".to_owned()],
            is_first_party: true,
            jwt_configuration: JwtConfiguration::default(),
            rest: rest(),
        },
        secret_digest: [7; 32],
        secret_sealed: vec![0, 1, 255],
        header_trust: model::HeaderTrust {
            networks: vec!["203.0.113.0/24".parse().unwrap()],
        },
        created_at: at(1),
        updated_at: at(2),
        version: 1,
    }
}

pub(crate) fn resource_server(id: &str, identifier: &str) -> ResourceServerRecord {
    ResourceServerRecord {
        resource_server: ResourceServer {
            id: ResourceServerId::new(id),
            name: None,
            identifier: identifier.to_owned(),
            is_system: false,
            scopes: Vec::new(),
            signing_alg: SigningAlgorithm::HS256,
            allow_offline_access: false,
            token_lifetime: 60,
            enforce_policies: false,
            token_dialect: None,
            subject_type_authorization: model::SubjectTypeAuthorization::default(),
            rest: rest(),
        },
        signing_secret_sealed: Some(vec![1, 2, 3]),
        created_at: at(1),
        updated_at: at(2),
        version: 1,
    }
}

pub(crate) fn grant(id: &str, client: &str, audience: &str) -> ClientGrant {
    ClientGrant {
        id: ClientGrantId::new(id),
        client_id: ClientId::new(client),
        audience: audience.to_owned(),
        scope: vec!["read:all".to_owned()],
        allow_all_scopes: false,
        subject_type: SubjectType::Client,
        rest: rest(),
    }
}

pub(crate) fn connection(id: &str, name: &str) -> ConnectionRecord {
    ConnectionRecord {
        connection: Connection {
            id: ConnectionId::new(id),
            name: name.to_owned(),
            strategy: model::DATABASE_STRATEGY.to_owned(),
            realms: Vec::new(),
            enabled_clients: Vec::new(),
            options: ConnectionOptions::default(),
            rest: rest(),
        },
        created_at: at(1),
        updated_at: at(2),
        version: 1,
    }
}

pub(crate) fn user(id: &str, connection: &str, email: &str) -> UserRecord {
    UserRecord {
        user: User {
            user_id: UserId::new(id),
            email: Some(email.to_owned()),
            email_verified: true,
            username: None,
            name: None,
            nickname: None,
            picture: None,
            given_name: None,
            family_name: None,
            blocked: false,
            identities: vec![Identity {
                connection: "Users".to_owned(),
                user_id: id.to_owned(),
                provider: "auth0".to_owned(),
                is_social: false,
            }],
            rest: rest(),
        },
        connection_id: ConnectionId::new(connection),
        identifiers: vec![Identifier::of(email)],
        password_hash: Some("$argon2id$…".to_owned()),
        password_scheme: Some("argon2id-64-1-1".to_owned()),
        created_at: at(1),
        updated_at: at(2),
        last_login: Some(at(3)),
        last_ip: Some("192.0.2.1".to_owned()),
        logins_count: 4,
        last_password_reset: Some(at(5)),
        version: 1,
    }
}

/// An event `micros` after the fixed instant.
pub(crate) fn event(micros: i64) -> LogEvent {
    LogEvent {
        log_id: log_id(micros),
        date: at(micros),
        event_type: EventType::WrongPassword,
        description: "Wrong email or password.".to_owned(),
        client_id: Some(ClientId::new("client")),
        client_name: Some("a backend".to_owned()),
        connection: Some("Users".to_owned()),
        connection_id: Some(ConnectionId::new("con_1")),
        ip: Some("192.0.2.1".to_owned()),
        client_ip: Some("203.0.113.9".to_owned()),
        user_id: Some(UserId::new("auth0|1")),
        user_name: Some("ana@example.com".to_owned()),
        user_agent: Some("curl".to_owned()),
        audience: Some("https://api.example.com".to_owned()),
        scope: Some("openid".to_owned()),
        hostname: "login.example.com".to_owned(),
        details: rest(),
        rest: rest(),
    }
}

/// The record of a refusal.
pub(crate) fn decision(micros: i64, reason: &str) -> LogEvent {
    let mut event = event(micros);
    let decision = serde_json::json!({ "decision": { "reason": reason } });
    event.details.insert("portcullis".to_owned(), decision);
    event
}

pub(crate) fn log_id(micros: i64) -> LogId {
    LogId::new(format!("900{:017}{:036}", at(micros).as_microsecond(), 5))
}

pub(crate) fn signing_key(kid: &str, state: SigningKeyState) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: kid.to_owned(),
        private_sealed: vec![9; 40],
        certificate_der: vec![8; 40],
        state,
        created_at: at(1),
    }
}

pub(crate) fn access_token(digest: u8) -> AccessTokenRecord {
    AccessTokenRecord {
        digest: [digest; 32],
        user_id: Some(UserId::new("auth0|1")),
        client_id: ClientId::new("client"),
        scope: "openid profile".to_owned(),
        expires_at: at(100),
    }
}

pub(crate) fn meter(key: MeterKey) -> MeterWrite {
    MeterWrite {
        key,
        kind: 3,
        row: Row {
            charged: u32::MAX,
            failed: 2,
            epoch: 3,
            open_until: at(30),
            failed_at: at(31),
            noticed_at: Timestamp::UNIX_EPOCH,
            seen: u64::MAX,
            told: 10,
            written_at: at(32),
        },
        revision_read: 0,
        expires_at: at(1),
        account_key: Some([1; 32]),
        source_key: Some([2; 32]),
        shown: Some(Shown {
            identifier: "ana@example.com".to_owned(),
            address: "192.0.2.1".to_owned(),
            connection: "Users".to_owned(),
            user: Some(UserId::new("auth0|1")),
        }),
    }
}

fn rest() -> Map<String, Value> {
    Map::from_iter([("more".to_owned(), json!({"nested": ["ü", 1, null]}))])
}

/// A breached password that was met at a login.
pub(crate) fn breach(day: i64, shard: i16, refused: bool) -> BreachTally {
    BreachTally {
        day,
        stage: "login",
        shard,
        refused,
    }
}
