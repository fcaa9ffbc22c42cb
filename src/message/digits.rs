//! Numbers in decimal digits, eight at once.
//!
//! A word has room for eight digits, and arithmetic on its parts makes all of them in the time that two take from a table.

/// The digits of a number, and how many there are. `None`: more than eight.
#[inline]
pub(crate) fn short(number: u64) -> Option<([u8; 8], usize)> {
    if number >= EIGHT {
        return None;
    }
    let digits = digits(number);
    // The last digit stands there, whatever it is.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    Some((((digits + ZEROS) >> (zeros * 8)).to_le_bytes(), 8 - zeros as usize))
}

/// Hands over the digits of a number, eight at most at a time, and how many there are.
pub(crate) fn each(number: u64, put: &mut impl FnMut([u8; 8], usize)) {
    if let Some((digits, len)) = short(number) {
        return put(digits, len);
    }
    each(number / EIGHT, put);
    put(eight(number % EIGHT), 8);
}

/// The digits of a number below [`EIGHT`], with zeros in front.
#[inline]
pub(crate) fn eight(number: u64) -> [u8; 8] {
    (digits(number) + ZEROS).to_le_bytes()
}

/// The eight digits of a number below [`EIGHT`], the first in the lowest byte.
#[inline]
fn digits(number: u64) -> u64 {
    // Halves of four digits, then quarters of two, then digits: in each part the higher one is divided off, by a
    // multiplication that is exact for numbers that small, and what is left goes to the part above.
    let high = number / 10_000;
    let halves = high | (number - high * 10_000) << 32;
    let high = ((halves * 5_243) >> 19) & 0x0000_007F_0000_007F;
    let quarters = high | (halves - high * 100) << 16;
    let high = ((quarters * 103) >> 10) & 0x000F_000F_000F_000F;
    high | (quarters - high * 10) << 8
}

/// The first number that has more than eight digits.
pub(crate) const EIGHT: u64 = 100_000_000;
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

#[cfg(test)]
mod tests {
    use super::*;

    fn written(number: u64) -> String {
        let mut bytes = Vec::new();
        each(number, &mut |digits, len| bytes.extend_from_slice(&digits[..len]));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_of_each_length_are_written_as_the_formatter_does() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        let near = |power: u64| (0..200).flat_map(move |n| [power.wrapping_sub(n), power + n, power / 7 * 3 + n]);
        let numbers = powers.flat_map(near).chain(0..10_000).chain([u64::MAX, u64::MAX - 1, 1 << 63]);
        for number in numbers {
            assert_eq!(written(number), number.to_string());
        }
    }

    #[test]
    fn each_part_is_exact_for_all_numbers_that_it_meets() {
        for number in (0..10_000).map(|n| n * 10_000 + n) {
            assert_eq!(digits(number).to_le_bytes().map(|digit| digit + b'0'), *format!("{number:08}").as_bytes());
        }
    }
}
