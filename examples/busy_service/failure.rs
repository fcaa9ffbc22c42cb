//! What goes wrong in the service: errors that have causes.

use std::fmt;
use std::num::ParseIntError;

/// A row of the warehouse that can't be read.
#[derive(Debug)]
pub struct RowError {
    pub column: &'static str,
    pub cause: ParseIntError,
}

/// A query of the warehouse that failed.
#[derive(Debug)]
pub struct WarehouseError {
    pub sku: String,
    pub cause: RowError,
}

/// An order that could not be placed.
#[derive(Debug)]
pub struct CheckoutError {
    pub order: u64,
    pub cause: WarehouseError,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} is not a number", self.column)
    }
}

impl fmt::Display for WarehouseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stock of {} is unknown", self.sku)
    }
}

impl fmt::Display for CheckoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} was not placed", self.order)
    }
}

macro_rules! errors_with_causes {
    ($($ty:ty),*) => {$(
        impl std::error::Error for $ty {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.cause)
            }
        }
    )*};
}

errors_with_causes!(RowError, WarehouseError, CheckoutError);
