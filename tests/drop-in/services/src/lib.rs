//! Services written against `sentry`, each in the way its framework wants it.
