#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deb.sh DIR VERSION BUILD: make a Debian package, in DIR, of what make install
# lays out of what is built in BUILD.
set -eu
cd "$(dirname "$0")/.."
dir=$(readlink -f "$1")
version=$2
build=$3
root=$dir/deb/root
arch=$(dpkg --print-architecture)

rm -rf "$root"
make --no-print-directory -s -o all install O="$build" \
	DESTDIR="$root" PREFIX=/usr
install -D -m 644 -t "$root/usr/share/doc/hawser" README.md
install -D -m 644 -t "$root/usr/share/doc/hawser/examples" conf-examples/*.conflist conf-examples/*.md
install -m 644 LICENSE "$root/usr/share/doc/hawser/copyright"
gzip -9n "$root"/usr/share/man/man?/*

# what dpkg-shlibdeps wants to see, and the libraries that it finds
mkdir -p "$dir/deb/debian" "$root/DEBIAN"
printf 'Source: hawser\n\nPackage: hawser\nArchitecture: any\n' >"$dir/deb/debian/control"
depends=$(cd "$dir/deb" && dpkg-shlibdeps -O -e root/usr/bin/hawser 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >"$root/DEBIAN/control" <<END
Package: hawser
Version: $version
Architecture: $arch
Maintainer: Hawser
Section: net
Priority: optional
Installed-Size: $(du -ks "$root" | cut -f 1)
Depends: $depends
Recommends: libnftables1, dnsmasq-base
Suggests: podman, containerd
Provides: containernetworking-plugins
Description: container network plugins
 CNI plugins: bridge, ptp, macvlan, ipvlan, vlan, host-device, tap, dummy,
 loopback, host-local, static, dhcp, portmap, firewall, tuning, bandwidth,
 dnsname, sbr and vrf; a command that uses them, an OCI hook, and a network
 driver for podman 5.
END
dpkg-deb --root-owner-group --build "$root" "$dir/hawser_${version}_$arch.deb"
