//! The budget: how many bytes of requests are held at the same time, and whose they are.
//!
//! Who takes no answer keeps what it has for as long as it may. So one address cannot have all, and a part is kept for
//! small requests.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;
use serde_json::json;

use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem};

/// Of all bytes, this part may be one address's.
const SHARE: usize = 2;

/// Of all bytes, this part is kept for small requests.
const RESERVE: usize = 8;

/// A request is small up to this part of all bytes.
const SMALL: usize = 512;

/// How many bytes of requests may be held at the same time.
#[derive(Debug)]
pub(in crate::server) struct Budget {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: Bytes,
    by_client: HashMap<Client, Bytes>,
}

/// Bytes that are held.
#[derive(Debug, Default, Clone, Copy)]
struct Bytes {
    all: usize,
    /// Those of small requests.
    small: usize,
}

/// Whose requests count together: those from one address. An IPv6 network of 64 bits is one address, since whoever has one
/// of them has them all. Unix sockets have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::server) struct Client(Option<IpAddr>);

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum NoRoom {
    /// All that may be held is held.
    Full,
    /// This client holds what one may hold.
    Share,
}

/// Bytes of the budget that are taken; given back when dropped.
#[derive(Debug)]
pub(in crate::server) struct Hold {
    budget: Arc<Budget>,
    client: Client,
    bytes: usize,
}

impl Client {
    /// Whose request this is.
    pub fn of(request: &HttpRequest) -> Self {
        Self::at(request.peer_addr().map(|address| address.ip()))
    }

    /// Whoever is at this address.
    fn at(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address => address,
        }))
    }
}

impl Budget {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: Mutex::default() })
    }

    /// Bytes that are held now.
    pub fn held(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).all.all
    }

    /// Takes nothing yet.
    pub fn hold(self: &Arc<Self>, client: Client) -> Hold {
        Hold { budget: Arc::clone(self), client, bytes: 0 }
    }

    /// What so many bytes of one request are.
    fn of(&self, bytes: usize) -> Bytes {
        Bytes { all: bytes, small: if bytes <= self.limit / SMALL { bytes } else { 0 } }
    }

    /// Whether so many bytes have room beside those of others, and of the same client.
    fn check(&self, wanted: Bytes, others: Bytes, same: Bytes, client: Client) -> Result<(), NoRoom> {
        let reserve = self.limit / RESERVE;
        let is_small = wanted.small > 0;
        // Whoever is alone may have any amount: else a request of the largest size allowed could wait for ever.
        let fits = others.all == 0
            || (others.all + wanted.all <= self.limit
                && (is_small || others.all - others.small + wanted.all <= self.limit - reserve))
            || (is_small && others.small + wanted.small <= reserve);
        if !fits {
            return Err(NoRoom::Full);
        }
        let fits = client.0.is_none()
            || same.all == 0
            || same.all + wanted.all <= self.limit / SHARE
            || (is_small && same.small + wanted.small <= reserve);
        if fits { Ok(()) } else { Err(NoRoom::Share) }
    }

    fn change(&self, client: Client, from: usize, to: usize, checked: bool) -> Result<(), NoRoom> {
        let (before, after) = (self.of(from), self.of(to));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let others = held.all.less(before);
        let same = held.by_client.get(&client).copied().unwrap_or_default().less(before);
        if checked {
            self.check(after, others, same, client)?;
        }
        held.all = others.plus(after);
        match same.plus(after) {
            Bytes { all: 0, .. } => held.by_client.remove(&client),
            bytes => held.by_client.insert(client, bytes),
        };
        Ok(())
    }
}

impl Bytes {
    fn plus(self, other: Self) -> Self {
        Self { all: self.all + other.all, small: self.small + other.small }
    }

    fn less(self, other: Self) -> Self {
        Self { all: self.all - other.all, small: self.small - other.small }
    }
}

impl Hold {
    /// Takes more, or nothing where there is no room.
    pub fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.budget.change(self.client, self.bytes, self.bytes + bytes, true)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let _ = self.budget.change(self.client, self.bytes, 0, false);
    }
}

impl NoRoom {
    /// What the client is told.
    pub fn refusal(self, budget: &Budget) -> ApiError {
        let message = match self {
            Self::Full => "as many requests are held as memory allows: try again in 1 s",
            Self::Share => {
                "requests from this address hold as much memory as one may have: take their answers, and try again in 1 s"
            }
        };
        let problem = Problem::new(ErrorCode::Overloaded, message).with(json!({"held_bytes": budget.held()}));
        ApiError { retry_after: Some(1), ..ApiError::from(problem) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::at(Some(IpAddr::from([10, 0, 0, number])))
    }

    /// A request of so many bytes.
    fn take(budget: &Arc<Budget>, number: u8, bytes: usize) -> Result<Hold, NoRoom> {
        let mut hold = budget.hold(client(number));
        hold.grow(bytes).map(|()| hold)
    }

    #[test]
    fn the_budget_is_given_back() {
        let budget = Budget::new(8000);
        let mut first = take(&budget, 1, 3000).unwrap();
        let second = take(&budget, 2, 4000).unwrap();
        assert_eq!(first.grow(1).unwrap_err(), NoRoom::Full);
        assert_eq!(budget.held(), 7000);
        drop(second);
        first.grow(1000).unwrap();
        // Alone, one may pass the limit.
        first.grow(10_000).unwrap();
        assert_eq!(take(&budget, 2, 100).unwrap_err(), NoRoom::Full);
        drop(first);
        assert_eq!(budget.held(), 0);
        assert!(budget.held.lock().unwrap().by_client.is_empty());
    }

    #[test]
    fn one_address_cannot_have_all() {
        let budget = Budget::new(8000);
        let _first = take(&budget, 1, 3000).unwrap();
        assert_eq!(take(&budget, 1, 1001).unwrap_err(), NoRoom::Share);
        let _second = take(&budget, 1, 1000).unwrap();
        let _others = take(&budget, 2, 2000).unwrap();
        // Who holds nothing yet may have more than a share.
        drop((_first, _second));
        assert!(take(&budget, 3, 5000).is_ok());
    }

    #[test]
    fn small_requests_have_a_reserve() {
        let budget = Budget::new(512_000);
        let _large = [take(&budget, 1, 256_000).unwrap(), take(&budget, 2, 192_000).unwrap()];
        assert_eq!(take(&budget, 3, 1001).unwrap_err(), NoRoom::Full);
        // Those of an address whose share is used up, too.
        let small: Vec<Hold> = (0..64).map(|_| take(&budget, 1, 1000).unwrap()).collect();
        assert_eq!(take(&budget, 1, 1000).unwrap_err(), NoRoom::Full);
        drop(small);
        // A request that grows is small no more.
        let mut growing = take(&budget, 3, 1000).unwrap();
        assert_eq!(growing.grow(1), Err(NoRoom::Full));
        drop(growing);
        assert_eq!(budget.held(), 448_000);
        // However much one who was alone has taken.
        let budget = Budget::new(512_000);
        let _alone = take(&budget, 1, 2_000_000).unwrap();
        assert!(take(&budget, 1, 1000).is_ok() && take(&budget, 2, 1000).is_ok());
    }

    #[test]
    fn a_network_of_its_own_is_one_address() {
        let at = |address: &str| Client::at(Some(address.parse().unwrap()));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:10.0.0.1"), client(1));
        assert_ne!(client(1), client(2));
        // Behind a Unix socket there is nobody to tell apart.
        let budget = Budget::new(8000);
        let mut holds = [budget.hold(Client::at(None)), budget.hold(Client::at(None))];
        assert!(holds.iter_mut().all(|hold| hold.grow(3500).is_ok()));
    }
}
