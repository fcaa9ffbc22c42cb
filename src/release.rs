//! The release of a program, from what cargo knows of its package.

/// Names the release of the package that is being built, as `name@version`: an `Option<Cow<'static, str>>`, which is
/// `None` in builds without cargo.
///
/// ```
/// use vidette::ClientOptions;
///
/// let options = ClientOptions::new().maybe_release(vidette::release_name!());
/// assert!(options.release.unwrap().contains('@'));
/// ```
#[macro_export]
macro_rules! release_name {
    () => {{
        static RELEASE: ::std::sync::OnceLock<::std::option::Option<::std::string::String>> =
            ::std::sync::OnceLock::new();
        let release = RELEASE.get_or_init(|| {
            let (name, version) = (::std::option_env!("CARGO_PKG_NAME")?, ::std::option_env!("CARGO_PKG_VERSION")?);
            ::std::option::Option::Some(::std::format!("{name}@{version}"))
        });
        release.as_deref().map(::std::borrow::Cow::<'static, str>::Borrowed)
    }};
}
