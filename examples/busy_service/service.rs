//! The service itself: it takes an order for some goods, looks up prices and stock, and answers with a page.
//!
//! All of it exists twice, compiled with and without instrumentation: `WATCHED` says which.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use vidette::{Level, breadcrumb};

use crate::failure::{CheckoutError, RowError, WarehouseError};

/// What requests are answered from.
pub struct Service {
    /// Rows as the warehouse stores them: name, price in cents, stock.
    rows: BTreeMap<String, String>,
}

/// What became of a request.
pub struct Outcome {
    /// Stands for the answer's bytes, so that no work is optimised away.
    pub digest: u64,
    /// How long the capture call took, if the request failed and was watched.
    pub capture: Option<Duration>,
    pub failed: bool,
}

/// A request, taken apart.
struct Order<'a> {
    number: u64,
    path: &'a str,
    session: &'a str,
    tenant: &'a str,
    lines: Vec<(String, u32)>,
}

impl Service {
    pub fn new() -> Self {
        let row = |number: usize| {
            let stock = if number == GOODS - 1 { "12 or so".to_owned() } else { (number % 90 + 7).to_string() };
            (sku(number), format!("{} no. {number};{};{stock}", NAMES[number % NAMES.len()], 199 + number * 7))
        };
        Self { rows: (0..GOODS).map(row).collect() }
    }

    /// Takes a request from its text to its answer.
    #[inline(never)]
    pub fn serve<const WATCHED: bool>(&self, number: u64) -> Outcome {
        let request = request_text(number);
        if WATCHED {
            breadcrumb!(
                ty: "http", category: "http.server", level: Level::Info,
                method = "POST", bytes = request.len(),
                "request {} from the gateway", number,
            );
        }
        let order = self.parse::<WATCHED>(number, &request);
        match self.check_out::<WATCHED>(&order) {
            Ok(page) => {
                if WATCHED {
                    breadcrumb!(ty: "http", category: "http.server", status_code = 200, bytes = page.len(), "answered");
                }
                Outcome { digest: digest(&page), capture: None, failed: false }
            }
            Err(error) => {
                let mut capture = None;
                if WATCHED {
                    breadcrumb!(ty: "http", category: "http.server", level: Level::Error, status_code = 500, "failed");
                    let start = Instant::now();
                    vidette::capture_error(&error);
                    capture = Some(start.elapsed());
                }
                Outcome { digest: digest(&error.to_string()), capture, failed: true }
            }
        }
    }

    fn parse<'a, const WATCHED: bool>(&self, number: u64, request: &'a str) -> Order<'a> {
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let mut head = head.split("\r\n");
        let path = head.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("/");
        let headers: BTreeMap<String, &str> = head
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        let header = |name| headers.get(name).copied().unwrap_or_default();
        let lines = body.split('&').filter_map(|pair| {
            let (sku, count) = pair.split_once('=')?;
            Some((unescaped(sku), count.parse().ok()?))
        });
        let order =
            Order { number, path, session: header("x-session"), tenant: header("x-tenant"), lines: lines.collect() };
        if WATCHED {
            vidette::configure_scope(|scope| {
                scope.set_tag("route", "/orders/{id}");
                scope.set_tag("tenant", order.tenant);
                scope.set_tag("lines", order.lines.len());
            });
            breadcrumb!(category: "router", route = "/orders/{id}", headers = headers.len(), "matched {}", order.path);
            breadcrumb!(category: "auth", session = order.session, tenant = order.tenant, "the session is valid");
        }
        order
    }

    #[inline(never)]
    fn check_out<const WATCHED: bool>(&self, order: &Order<'_>) -> Result<String, CheckoutError> {
        let mut page = format!("<h1>Order {}</h1><p>{} for {}</p><table>", order.number, order.path, order.tenant);
        let mut total = 0;
        for (sku, count) in &order.lines {
            let line = self.price::<WATCHED>(sku, *count);
            let (name, cents) = line.map_err(|cause| CheckoutError { order: order.number, cause })?;
            total += cents;
            _ = write!(
                page,
                "<tr><td>{sku}</td><td>{}</td><td>{count}</td><td>{}</td></tr>",
                escaped(name),
                euros(cents)
            );
        }
        _ = write!(page, "</table><p>Total: {}</p>", euros(total));
        if WATCHED {
            breadcrumb!(
                ty: "query", category: "db.query", rows = 1, total_cents = total,
                "INSERT INTO orders VALUES ({}, …)", order.number,
            );
            breadcrumb!(category: "mail", queued = true, recipient = order.session, "confirmation for {}", order.number);
        }
        Ok(page)
    }

    /// Looks one line of an order up, and returns the name of the goods and the price of all of them.
    #[inline(never)]
    fn price<const WATCHED: bool>(&self, sku: &str, count: u32) -> Result<(&str, u64), WarehouseError> {
        let row = self.rows.get(sku).map_or("unknown;0;0", String::as_str);
        if WATCHED {
            breadcrumb!(
                ty: "query", category: "db.query", sku = sku, rows = 1, cached = false,
                "SELECT * FROM goods WHERE sku = $1",
            );
        }
        let mut columns = row.split(';');
        let name = columns.next().unwrap_or_default();
        let (price, stock) = read_columns(columns).map_err(|cause| WarehouseError { sku: sku.to_owned(), cause })?;
        let taken = stock.min(u64::from(count));
        if WATCHED && taken < u64::from(count) {
            breadcrumb!(category: "stock", level: Level::Warning, wanted = count, left = stock, "{} runs short", name);
        }
        Ok((name, price * taken))
    }
}

fn read_columns<'a>(mut columns: impl Iterator<Item = &'a str>) -> Result<(u64, u64), RowError> {
    let mut next = |column| columns.next().unwrap_or_default().parse().map_err(|cause| RowError { column, cause });
    Ok((next("price")?, next("stock")?))
}

/// The text of a request, as a client would send it. The same number makes the same text.
fn request_text(number: u64) -> String {
    let mut random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut body = String::new();
    for line in 0..LINES {
        // The last row of the warehouse is the broken one.
        let goods = if line == LINES - 1 && draw(FAILS_ONCE_IN) == 0 { GOODS - 1 } else { draw(GOODS - 1) };
        _ = write!(body, "{}{}={}", if line == 0 { "" } else { "&" }, sku(goods).replace('/', "%2F"), 1 + draw(9));
    }
    format!(
        "POST /orders/{number} HTTP/1.1\r\nHost: shop.invalid\r\nUser-Agent: busy/1.0\r\nAccept: text/html\r\n\
         X-Session: s-{:08x}\r\nX-Tenant: {}\r\nContent-Length: {}\r\n\r\n{body}",
        draw(1 << 30),
        TENANTS[draw(TENANTS.len())],
        body.len(),
    )
}

fn sku(number: usize) -> String {
    format!("{}/{number:04}", &NAMES[number % NAMES.len()][..3])
}

/// Resolves `%2F` and the like.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        plain.push(u8::from_str_radix(code, 16).map_or('?', char::from));
        plain.push_str(rest);
    }
    plain
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn euros(cents: u64) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

const NAMES: [&str; 6] = ["Lantern", "Signal horn", "Watch coat", "Telescope", "Boots & laces", "Field flask"];
const TENANTS: [&str; 4] = ["north", "east", "south", "west"];
const GOODS: usize = 5_000;
/// Lines of an order.
const LINES: usize = 4;
const FAILS_ONCE_IN: usize = 100;
