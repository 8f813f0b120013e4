//! What the link in the mail about a block is good for: one account from one source, or from everywhere where that is how
//! the tenant counted. Nothing else is lifted by it, whoever follows it.

use std::net::IpAddr;

use guard::{Account, MeterKind, Source};
use jiff::Timestamp;
use model::{ConnectionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use storage::{MeterRecord, StoreError, Work};

use super::account::source_key;
use super::blocks::{blocked, key_of, kind_of, lift, rewritten};
use super::lifecycle::LiftedBy;
use crate::request::RequestContext;

/// What a ticket says of the block it lifts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnblockLink {
    pub(crate) connection_id: ConnectionId,
    pub(crate) connection: String,
    /// None where nobody has the identifier, so that no mail goes out.
    pub(crate) user_id: Option<UserId>,
    /// As events and pages show it.
    pub(crate) identifier: String,
    /// Where the last wrong password came from.
    pub(crate) address: IpAddr,
    /// Whether the block holds from everywhere.
    pub(crate) everywhere: bool,
    pub(crate) at: Timestamp,
}

impl UnblockLink {
    /// As a ticket keeps it.
    pub(crate) fn to_document(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }

    /// What a ticket kept; none if it is no link of this kind.
    pub(crate) fn of_document(document: Map<String, Value>) -> Option<Self> {
        serde_json::from_value(Value::Object(document)).ok()
    }

    /// Whether something still stands that the link would lift.
    pub(crate) async fn stands(&self, cx: &RequestContext) -> Result<bool, StoreError> {
        let Some(user) = &self.user_id else {
            return Ok(false);
        };
        let account = Account::Known(user.as_str().to_owned());
        let key = key_of(cx, &self.connection_id, &account);
        let meters = cx.store.list_meters_of_account(&key).await?;
        Ok(meters.iter().any(|meter| self.covers(cx, meter)))
    }

    /// Lifts what stands, in the unit that takes the ticket; answers whether anything did.
    ///
    /// The block is lifted whole. Where the account's throttle within the IPv6 /48 refuses as well, it is eased by one
    /// budget, so that a click is worth one budget there too and not ten.
    pub(crate) async fn lift(
        &self,
        work: &mut Work,
        cx: &RequestContext,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        let account = Account::Known(user.as_str().to_owned());
        let key = key_of(cx, &self.connection_id, &account);
        let meters = work.list_meters_of_account(&key).await?;
        let (throttles, blocks): (Vec<_>, Vec<_>) = meters
            .into_iter()
            .filter(|meter| self.covers(cx, meter))
            .partition(|meter| kind_of(meter) == Some(MeterKind::IdentifierPrefix));
        let budget = cx.facts.policy.brute_force.max_attempts;
        let eased: Vec<_> = throttles
            .iter()
            .map(|meter| rewritten(meter, meter.row.ease(budget, cx.now)))
            .collect();
        work.write_meters(&eased).await?;
        lift(work, cx, &blocks, Some(user), &LiftedBy::Link).await?;
        Ok(!(throttles.is_empty() && blocks.is_empty()))
    }

    /// Whether this meter refuses what the link is about.
    fn covers(&self, cx: &RequestContext, meter: &MeterRecord) -> bool {
        let source = Source::new(self.address);
        let network = match (kind_of(meter), self.everywhere) {
            (Some(MeterKind::Identifier), true) => return blocked(cx, meter),
            (Some(MeterKind::Pair), false) => Some(source.prefix()),
            (Some(MeterKind::IdentifierPrefix), false) => source.prefix48(),
            _ => None,
        };
        let key = network.map(|net| {
            let (digests, tenant) = (&cx.app.secrets.meters, &cx.tenant().id);
            source_key(digests, tenant, net.network(), net.prefix_len())
        });
        key.is_some() && key == meter.source_key && blocked(cx, meter)
    }
}
