# The menu. `just` alone lists it. Everything here is a plain command that can be typed without just.

set shell := ["bash", "-euo", "pipefail", "-c"]

# List what there is
default:
    @just --list --unsorted

# Start the server with its data in ./data
serve *options:
    cargo run --release -- serve {{ options }}

# The same as a debug build, which compiles faster and runs slower
dev *options:
    cargo run -- serve {{ options }}

# The administrator's tool beside a running server, such as: just admin doctor
admin *options:
    cargo run --release -- admin {{ options }}

# All tests
test *options:
    cargo test --workspace {{ options }}

# What continuous integration does, exactly; or single steps of it: just ci fmt clippy
ci *steps:
    .ci/run {{ steps }}

# Format
fmt:
    cargo fmt --all

# Format check, clippy and the project's own checks
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo run --quiet -p xtask -- tidy

# The project's own checks: crate edges, file sizes, words, migrations, links
tidy:
    cargo run --quiet -p xtask -- tidy

# Write the generated pages of docs/ anew
docs:
    TIDEMILL_WRITE_DOCS=1 cargo test -p xtask --test permissions --test keywords

# Licences and advisories of the dependencies (needs cargo-deny)
deny:
    cargo deny check

# Drive the pages through Chromium
browser *options:
    cargo build --workspace --bins
    npm --prefix tests/browser ci
    npm --prefix tests/browser test {{ options }}

# Pictures of every page, at two widths, light and dark, into target/shots
shots:
    cargo build --workspace --bins
    npm --prefix tests/browser run shots

# Measure against git http-backend and print ratios
bench *options:
    bench/run {{ options }}
