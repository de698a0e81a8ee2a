# For the examples in Node, from their own folder: installs what they use, and leaves $work, a folder
# that is removed at the end, and the command `lychgate`.
root=$(cd ../.. && pwd)

if [ ! -d "$root/js/dist/wasm" ]; then
    echo "building the npm package (a few minutes the first time)"
    [ -d "$root/js/node_modules" ] || (cd "$root/js" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    "$root/js/scripts/build"
fi
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package lychgate
lychgate() { "${CARGO_TARGET_DIR:-$root/target}/debug/lychgate" "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
