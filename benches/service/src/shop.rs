//! What the service is for: a cart comes in, a receipt goes out. Nothing here knows that it is watched.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What can be bought, in memory.
pub struct Shop {
    products: HashMap<u32, Product>,
}

struct Product {
    name: String,
    cents: u64,
    /// What this product is bought with.
    features: [i32; FEATURES],
}

#[derive(Deserialize)]
pub struct Cart {
    customer: u64,
    tier: String,
    coupon: Option<String>,
    /// How many products are looked at for a recommendation.
    consider: u32,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    sku: u32,
    quantity: u64,
    note: Option<String>,
}

/// A line of the cart with what it asks for.
pub struct Found<'a> {
    line: &'a Line,
    product: &'a Product,
}

#[derive(Serialize)]
pub struct Receipt<'a> {
    customer: u64,
    lines: Vec<Charged<'a>>,
    discount: u64,
    tax: u64,
    total: u64,
    recommended: Vec<&'a str>,
}

#[derive(Serialize)]
struct Charged<'a> {
    sku: u32,
    name: &'a str,
    quantity: u64,
    cents: u64,
    note: Option<&'a str>,
}

impl Shop {
    pub fn open() -> Self {
        let product = |sku: u32| Product {
            name: format!("a thing of make {} in colour {}", sku % 97, sku % 11),
            cents: 99 + u64::from(sku * 7919 % 10_000),
            features: std::array::from_fn(|n| (sku.wrapping_mul(2_654_435_761) >> n) as i32 % 100),
        };
        Self { products: (0..PRODUCTS).map(|sku| (sku, product(sku))).collect() }
    }

    /// Finds what the cart asks for; what is not sold is left out.
    pub fn look_up<'a>(&'a self, cart: &'a Cart) -> Vec<Found<'a>> {
        let found = |line: &'a Line| Some(Found { line, product: self.products.get(&line.sku)? });
        cart.lines.iter().filter_map(found).collect()
    }

    /// Names the few products that go best with those found, among as many as the cart says.
    pub fn recommend(&self, cart: &Cart, found: &[Found<'_>]) -> Vec<&str> {
        let first = found.first().map_or(0, |found| found.line.sku);
        let near = (first..first + cart.consider).filter_map(|sku| self.products.get(&(sku % PRODUCTS)));
        let score = |product: &Product| -> i32 {
            let with =
                |found: &Found<'_>| product.features.iter().zip(found.product.features).map(|(a, b)| a * b).sum();
            found.iter().map(with).map(|score: i32| score % 1_000).sum()
        };
        let mut scored: Vec<(i32, &str)> = near.map(|product| (score(product), product.name.as_str())).collect();
        scored.sort_unstable_by(|a, b| b.cmp(a));
        scored.into_iter().take(5).map(|(_, name)| name).collect()
    }
}

pub fn parse(body: &[u8]) -> Result<Cart, serde_json::Error> {
    serde_json::from_slice(body)
}

/// Adds it all up.
pub fn price<'a>(cart: &'a Cart, found: &[Found<'a>]) -> Result<Receipt<'a>, CouponError> {
    let charged = |found: &Found<'a>| Charged {
        sku: found.line.sku,
        name: &found.product.name,
        quantity: found.line.quantity,
        cents: found.product.cents * found.line.quantity,
        note: found.line.note.as_deref(),
    };
    let lines: Vec<Charged<'_>> = found.iter().map(charged).collect();
    let sum: u64 = lines.iter().map(|line| line.cents).sum();
    let discount = match cart.coupon.as_deref() {
        None => 0,
        Some("expired") => return Err(CouponError { coupon: "expired".to_owned(), why: Expired }),
        Some(coupon) => sum * (coupon.len() as u64 % 20) / 100,
    };
    let tax = (sum - discount) * 19 / 100;
    Ok(Receipt { customer: cart.customer, lines, discount, tax, total: sum - discount + tax, recommended: Vec::new() })
}

pub fn render(receipt: &Receipt<'_>) -> Vec<u8> {
    serde_json::to_vec(receipt).expect("a receipt has nothing that JSON has not")
}

impl Cart {
    pub fn tier(&self) -> &str {
        &self.tier
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }
}

impl<'a> Receipt<'a> {
    pub fn recommending(self, recommended: Vec<&'a str>) -> Self {
        Self { recommended, ..self }
    }

    pub fn total(&self) -> u64 {
        self.total
    }
}

/// A coupon that is not taken; one request in a thousand has one.
#[derive(Debug)]
pub struct CouponError {
    coupon: String,
    why: Expired,
}

impl fmt::Display for CouponError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the coupon {} is not taken", self.coupon)
    }
}

impl Error for CouponError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.why)
    }
}

#[derive(Debug)]
struct Expired;

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it expired last year")
    }
}

impl Error for Expired {}

const PRODUCTS: u32 = 10_000;
const FEATURES: usize = 16;
