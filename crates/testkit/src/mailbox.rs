//! Somebody's mailbox: what the server sent to one address, and the links in it.

use mail::Message;

use crate::World;

/// The mails to one address.
#[derive(Clone, Debug)]
pub struct Mailbox<'w> {
    world: &'w World,
    address: String,
}

impl<'w> Mailbox<'w> {
    pub(crate) fn of(world: &'w World, address: &str) -> Self {
        Self {
            world,
            address: address.to_owned(),
        }
    }

    /// Sends what is due, and answers every mail that came here so far, the oldest first.
    pub async fn mails(&self) -> Vec<Message> {
        let mut mails = self.world.mails().await;
        mails.retain(|mail| mail.to().address() == self.address);
        mails
    }

    /// The newest mail; there must be one.
    pub async fn newest(&self) -> Message {
        let newest = self.mails().await.pop();
        newest.unwrap_or_else(|| panic!("no mail came to {}", self.address))
    }

    /// Where the link of the newest mail leads: path and query.
    pub async fn newest_link(&self) -> String {
        let newest = self.newest().await;
        link_of(self.world, &newest).expect("the mail has a link with a ticket")
    }
}

/// Where the link with a ticket leads in a mail of this world's tenant: path and query.
pub fn link_of(world: &World, mail: &Message) -> Option<String> {
    let text = mail.text();
    let base = format!("https://{}/", world.domain());
    let links = text
        .split_whitespace()
        .filter_map(|word| Some(&word[word.find(&base)? + base.len() - 1..]));
    let end = |link: &str| {
        let end = link.find(|c: char| !(c.is_ascii_alphanumeric() || "/?=&-_.%~|".contains(c)));
        link[..end.unwrap_or(link.len())].to_owned()
    };
    links
        .filter(|link| link.contains("ticket="))
        .map(end)
        .next()
}
