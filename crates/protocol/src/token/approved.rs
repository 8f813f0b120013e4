//! An approval: the proof that the rules of a grant were all passed. Only `password` and `client_credentials` make
//! one, and tokens are made of nothing else (design: one gate at issuance).

use jiff::{SignedDuration, Timestamp};
use model::{
    Client, ClientId, ResourceServer, SigningAlgorithm, TokenDialect, User, UserId, wire_time,
};

use super::answer::TokenAnswer;
use super::claims::UserClaims;
use crate::{GrantType, Scope};

/// Seconds an opaque token lives (auth0-wire-facts §1.6).
pub const OPAQUE_LIFETIME: u32 = 86_400;

/// What was approved, for whom, through which client.
#[derive(Clone, Debug)]
pub struct Approved {
    pub(super) grant: GrantType,
    pub(super) client_id: ClientId,
    pub(super) subject: Subject,
    pub(super) api: Option<TokenApi>,
    pub(super) scope: Scope,
    pub(super) scope_to_tell: Option<String>,
}

/// What an access token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTokenKind {
    Jwt {
        alg: SigningAlgorithm,
        dialect: TokenDialect,
        lifetime: SignedDuration,
        /// The `typ` of its header.
        header_type: &'static str,
    },
    /// A random text that only this server can read, for `/userinfo`.
    Opaque { lifetime: SignedDuration },
}

impl Approved {
    /// The kind of access token to make.
    pub fn access_token_kind(&self) -> AccessTokenKind {
        let lifetime = SignedDuration::from_secs(i64::from(self.lifetime()));
        match &self.api {
            Some(api) => AccessTokenKind::Jwt {
                alg: api.alg,
                dialect: api.dialect,
                lifetime,
                header_type: match api.dialect {
                    TokenDialect::AccessToken | TokenDialect::AccessTokenAuthz => "JWT",
                    TokenDialect::Rfc9068Profile | TokenDialect::Rfc9068ProfileAuthz => "at+jwt",
                },
            },
            None => AccessTokenKind::Opaque { lifetime },
        }
    }

    /// How the ID token is signed; HS256 takes the client's secret. A client that keeps none gets RS256
    /// (auth0-wire-facts §1.7).
    pub fn id_token_algorithm(&self) -> SigningAlgorithm {
        match &self.subject {
            Subject::User(user) => user.id_token_alg,
            Subject::Client => SigningAlgorithm::RS256,
        }
    }

    /// The user, where the token is about one.
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.subject {
            Subject::User(user) => Some(&user.id),
            Subject::Client => None,
        }
    }

    /// The application.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The API's identifier.
    pub fn audience(&self) -> Option<&str> {
        self.api.as_ref().map(|api| api.identifier.as_str())
    }

    /// What was granted.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Says when the user last changed, which the user document does not know (claim `updated_at`, scope `profile`).
    #[must_use]
    pub fn with_updated_at(mut self, at: Timestamp) -> Self {
        if let Subject::User(user) = &mut self.subject
            && self.scope.contains("profile")
        {
            user.claims.updated_at = Some(wire_time(at));
        }
        self
    }

    /// The answer with the tokens made of this.
    pub fn answer(&self, access_token: String, id_token: Option<String>) -> TokenAnswer {
        TokenAnswer {
            access_token,
            id_token,
            scope: self.scope_to_tell.clone(),
            expires_in: self.lifetime(),
            token_type: "Bearer",
        }
    }

    /// Seconds the access token lives.
    pub(super) fn lifetime(&self) -> u32 {
        self.api
            .as_ref()
            .map_or(OPAQUE_LIFETIME, |api| api.lifetime)
    }
}

/// About whom a token speaks.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    User(Box<TokenUser>),
    /// The application itself.
    Client,
}

/// A user as far as tokens speak of him.
#[derive(Clone, Debug)]
pub(super) struct TokenUser {
    pub(super) id: UserId,
    pub(super) claims: UserClaims,
    pub(super) id_token_alg: SigningAlgorithm,
    /// Seconds.
    pub(super) id_token_lifetime: u32,
}

impl Subject {
    pub(super) fn user(user: &User, client: &Client, scope: &Scope) -> Self {
        let wanted = client.jwt_configuration.alg.filter(|_| !client.is_public());
        Self::User(Box::new(TokenUser {
            id: user.user_id.clone(),
            claims: UserClaims::of(user, scope),
            id_token_alg: wanted.unwrap_or(SigningAlgorithm::RS256),
            id_token_lifetime: client.jwt_configuration.lifetime_in_seconds,
        }))
    }
}

/// An API as far as tokens speak of it.
#[derive(Clone, Debug)]
pub(super) struct TokenApi {
    pub(super) identifier: String,
    pub(super) alg: SigningAlgorithm,
    pub(super) dialect: TokenDialect,
    /// Seconds.
    pub(super) lifetime: u32,
    /// What the subject may do at this API; only the `authz` dialects say it.
    pub(super) permissions: Vec<String>,
}

impl TokenApi {
    pub(super) fn new(api: &ResourceServer, permissions: &[String]) -> Self {
        Self {
            identifier: api.identifier.clone(),
            alg: api.signing_alg,
            dialect: api.token_dialect.unwrap_or(TokenDialect::AccessToken),
            lifetime: api.token_lifetime,
            permissions: permissions.to_vec(),
        }
    }
}
