//! The macros `logger_trace!` to `logger_fatal!`: one for each level, and what they share.

/// Makes the macro of a level.
macro_rules! level {
    ($dollar:tt $name:ident $level:ident $what:literal) => {
        #[doc = concat!("Captures a structured log ", $what, ".")]
        ///
        /// First come attributes, then a message, plain or as for `format!`:
        ///
        /// ```
        #[doc = concat!("use vidette::", stringify!($name), ";")]
        ///
        #[doc = concat!(stringify!($name), "!(\"the cache is cold\");")]
        #[doc = concat!(stringify!($name), "!(\"{} of {} shards answered\", 3, 4);")]
        #[doc = concat!(stringify!($name), "!(shard = 7, user.id = \"u-1\", \"cache.hit\" = false, \"took {ms} ms\", ms = 1.5);")]
        /// ```
        ///
        /// - The name of an attribute is an identifier, several with dots between them, or a text in quotes.
        /// - Values are what becomes a [`LogAttribute`](crate::protocol::LogAttribute): texts, numbers, truth values, and
        ///   lists of these.
        /// - A message without arguments is taken as it is, braces and all. With arguments, the message's template and
        ///   each argument become attributes too: `sentry.message.template` and `sentry.message.parameter.0` and so on, or
        ///   `.ms` for an argument with a name. A `Display` that fails ends the message, and what it wrote stays.
        ///
        /// # Cost
        /// If no client is bound to the current hub, nothing is evaluated: a relaxed load and a branch while no client is
        /// open in the whole process. Otherwise the caller pays for the formatted message and for texts among the values,
        /// which are copied; a message without arguments and up to three numbers or truth values allocate nothing.
        #[macro_export]
        macro_rules! $name {
            ($dollar($dollar part:tt)+) => {
                $crate::__log!({$crate::protocol::LogLevel::$level} [] $dollar($dollar part)+)
            };
        }
    };
}

level!($ logger_trace Trace "of the finest detail");
level!($ logger_debug Debug "for those who look for a bug");
level!($ logger_info Info "of something worth knowing");
level!($ logger_warn Warn "of something that looks wrong");
level!($ logger_error Error "of something that failed");
level!($ logger_fatal Fatal "after which nothing works any more");

/// The attributes of a log, one at a time, and then its message.
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:tt [$($attributes:tt)*] $key:ident $(.$sub:ident)* = $value:expr, $($rest:tt)+) => {
        $crate::__log!(
            $level
            [$($attributes)* {::core::concat!(::core::stringify!($key) $(, ".", ::core::stringify!($sub))*), $value}]
            $($rest)+
        )
    };
    ($level:tt [$($attributes:tt)*] $key:literal = $value:expr, $($rest:tt)+) => {
        $crate::__log!($level [$($attributes)* {$key, $value}] $($rest)+)
    };
    ({$level:expr} [$({$key:expr, $value:expr})*] $message:literal $(,)?) => {
        if $crate::__private::is_logging() {
            static SITE: $crate::__private::LogSite = $crate::__private::LogSite {
                level: $level,
                text: $message,
                keys: &[$($key),*],
                parameters: &[],
            };
            let mut _log = $crate::__private::LogWriter::new(&SITE);
            $(_log.value($value);)*
            _log.capture();
        }
    };
    ($level:tt $attributes:tt $message:literal, $($arguments:tt)+) => {
        $crate::__arguments!(__log_format {$level $attributes $message} [] $($arguments)+)
    };
}

/// A log whose message has arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_format {
    (
        {{$level:expr} [$({$key:expr, $attribute:expr})*] $message:literal}
        $({[$($name:ident)?] $argument:ident {$value:expr}})+
    ) => {
        if $crate::__private::is_logging() {
            static SITE: $crate::__private::LogSite = $crate::__private::LogSite {
                level: $level,
                text: $message,
                keys: &[$($key),*],
                parameters: &[$(::core::concat!($(::core::stringify!($name))?)),+],
            };
            let mut log = $crate::__private::LogWriter::new(&SITE);
            $(log.value($attribute);)*
            match ($($value,)+) {
                ($($argument,)+) => {
                    let mut body = $crate::__private::LogBody::new(&SITE);
                    match ($(&$argument,)+) {
                        ($($argument,)+) => {
                            $crate::__private::write_message!(body $message $({[$($name)?] $argument {$value}})+);
                        }
                    }
                    log.body(body);
                    $(log.value($argument);)+
                }
            }
            log.capture();
        }
    };
}
