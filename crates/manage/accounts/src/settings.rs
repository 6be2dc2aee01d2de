//! The instance settings of accounts, with their defaults. Their keys are those of GitLab's application settings.

use kernel::App;

/// Whether people may register themselves.
pub fn signup_enabled(app: &App) -> bool {
    app.settings().get("signup_enabled", true)
}

/// Whether an administrator must approve who registered.
pub fn require_admin_approval(app: &App) -> bool {
    app.settings().get("require_admin_approval_after_user_signup", false)
}

/// The mail domains that people may register with; empty for all.
pub fn domain_allowlist(app: &App) -> Vec<String> {
    app.settings().get("domain_allowlist", vec![])
}

/// How often a minute a user may call the API.
pub fn api_limit(app: &App) -> u64 {
    app.settings().get("throttle_authenticated_api_requests_per_minute", 2000)
}

/// How often a minute an address may call without having signed in.
pub fn anonymous_limit(app: &App) -> u64 {
    app.settings().get("throttle_unauthenticated_requests_per_minute", 500)
}

/// How often a minute an address may fail to sign in, or register.
pub fn sign_in_limit(app: &App) -> u64 {
    app.settings().get("throttle_sign_in_requests_per_minute", 20)
}
