//! One file a surface: from a reason to status, code and text, and the headers that surface has.

pub(crate) mod bearer;
pub mod management;
pub(crate) mod oauth;
