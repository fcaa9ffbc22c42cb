//! Numbers as JSON has them: where one ends, and what it is.

/// A number, as `serde_json` would have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

/// A number that was found, and not looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    /// No sign, no fraction, no exponent, and at most [`MOST_DIGITS`] digits: its value, and how many they are.
    Short(u64, usize),
    /// No exponent, and digits that are an exact float, one of them at least behind the point.
    Decimal { text: &'a str, digits: u64, places: usize },
    /// Anything else.
    Other { text: &'a str, is_integer: bool },
}

impl<'a> Token<'a> {
    /// Finds the number a text starts with.
    #[inline(always)]
    pub(super) fn at_start(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (end, digits) = take_digits(bytes, 0, 0);
        let is_leading_zero = end > 1 && bytes.first() == Some(&b'0');
        if end == 0 || end > MOST_DIGITS || is_leading_zero {
            return Self::other(text);
        }
        match bytes.get(end) {
            Some(b'.') => Self::decimal(text, end, digits),
            Some(b'e' | b'E') => Self::other(text),
            _ => Some(Self::Short(digits, end)),
        }
    }

    /// Finds a number whose digits in front of the point, at `point`, are known.
    #[inline(always)]
    fn decimal(text: &'a str, point: usize, digits: u64) -> Option<Self> {
        let bytes = text.as_bytes();
        let (end, digits) = take_digits(bytes, point + 1, digits);
        let places = end - point - 1;
        if places == 0 || end > MOST_DIGITS || digits > MOST_EXACT || matches!(bytes.get(end), Some(b'e' | b'E')) {
            return Self::other(text);
        }
        Some(Self::Decimal { text: text.get(..end)?, digits, places })
    }

    #[cold]
    #[inline(never)]
    fn other(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let count = |start: usize| bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let start = usize::from(bytes.first() == Some(&b'-'));
        let whole = count(start);
        // At least one digit, and no zero in front of others.
        if whole == 0 || (whole > 1 && bytes.get(start) == Some(&b'0')) {
            return None;
        }
        let integer = start + whole;
        let mut end = integer;
        if bytes.get(end) == Some(&b'.') {
            let places = count(end + 1);
            if places == 0 {
                return None;
            }
            end += 1 + places;
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let places = count(end + 1 + sign);
            if places == 0 {
                return None;
            }
            end += 1 + sign + places;
        }
        Some(Self::Other { text: text.get(..end)?, is_integer: end == integer })
    }

    /// Returns how many bytes it has.
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        match self {
            Self::Short(_, len) => len,
            Self::Decimal { text, .. } | Self::Other { text, .. } => text.len(),
        }
    }

    /// Returns what it stands for, rounded once; `None` if it is too large for a float.
    #[inline(always)]
    pub(super) fn number(self) -> Option<Number> {
        match self {
            Self::Short(number, _) => Some(Number::Unsigned(number)),
            // Both are exact, so that the quotient is rounded once.
            Self::Decimal { digits, places, .. } => {
                POWERS.get(places).map(|power| Number::Float(digits as f64 / power))
            }
            Self::Other { text, is_integer } => parse(text, is_integer),
        }
    }

    /// Returns the nearest number of single precision; `None` if it is too large.
    pub(super) fn single(self) -> Option<f32> {
        match self {
            Self::Short(number, _) => Some(number as f32),
            Self::Decimal { text, .. } | Self::Other { text, .. } => {
                text.parse().ok().filter(|it: &f32| it.is_finite())
            }
        }
    }
}

#[cold]
#[inline(never)]
fn parse(text: &str, is_integer: bool) -> Option<Number> {
    if is_integer {
        if let Ok(number) = text.parse() {
            return Some(Number::Unsigned(number));
        }
        // A zero with a sign is a float.
        if let Ok(number @ ..=-1) = text.parse() {
            return Some(Number::Negative(number));
        }
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Float)
}

/// Reads digits behind those that make up `number`; returns where they end. More than [`MOST_DIGITS`] wrap around.
#[inline(always)]
fn take_digits(bytes: &[u8], start: usize, mut number: u64) -> (usize, u64) {
    let mut at = start;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        number = number.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
    }
    (at, number)
}

/// How many decimal digits fit 64 bits, whatever they are.
const MOST_DIGITS: usize = 19;

/// Up to here, a float holds every integer.
const MOST_EXACT: u64 = 1 << 53;

/// The powers of ten that a float holds exactly, and that a short number has.
const POWERS: [f64; 20] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];
