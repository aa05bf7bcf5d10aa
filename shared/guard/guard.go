// Package guard keeps requests to addresses that came from data on the public
// internet. Its one invariant: what is refused is never connected to, whatever a
// name server says and however the address is spelled.
package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrPrivate is wrapped by the error of a connection to an address that is not
// on the public internet.
var ErrPrivate = errors.New("not a public address")

// notPublic are the blocks that are not on the public internet (IANA's special-
// purpose registries for IPv4 and IPv6, read 2026-11-23), of which the metadata
// services of clouds are part. Of IPv6 only 2000::/3 is public at all.
func notPublic() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),        // this network
		netip.MustParsePrefix("10.0.0.0/8"),       // private
		netip.MustParsePrefix("100.64.0.0/10"),    // shared by carriers
		netip.MustParsePrefix("127.0.0.0/8"),      // loopback
		netip.MustParsePrefix("169.254.0.0/16"),   // link-local; metadata
		netip.MustParsePrefix("172.16.0.0/12"),    // private
		netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),     // documentation
		netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
		netip.MustParsePrefix("192.168.0.0/16"),   // private
		netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"),  // documentation
		netip.MustParsePrefix("203.0.113.0/24"),   // documentation
		netip.MustParsePrefix("224.0.0.0/4"),      // multicast
		netip.MustParsePrefix("240.0.0.0/4"),      // reserved, broadcast
		netip.MustParsePrefix("168.63.129.16/32"), // a cloud's metadata on a public address
		netip.MustParsePrefix("2001::/23"),        // protocol assignments, Teredo
		netip.MustParsePrefix("2001:db8::/32"),    // documentation
		netip.MustParsePrefix("2002::/16"),        // 6to4: any IPv4 address may be inside
		netip.MustParsePrefix("3fff::/20"),        // documentation
	}
}

// A Guard refuses addresses that are not public. It sees each address as it is
// dialled, after names were resolved, so no answer of a name server gets past it.
type Guard struct {
	refused []netip.Prefix
	public6 netip.Prefix
	nat64   netip.Prefix
}

// New returns a guard.
func New() *Guard {
	return &Guard{
		refused: notPublic(),
		public6: netip.MustParsePrefix("2000::/3"),
		nat64:   netip.MustParsePrefix("64:ff9b::/96"),
	}
}

// Control is a net.Dialer's Control.
func (g *Guard) Control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, ErrPrivate)
	}
	if !g.public(a.Addr()) {
		return fmt.Errorf("%s: %w", a.Addr(), ErrPrivate)
	}
	return nil
}

func (g *Guard) public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if g.nat64.Contains(a) { // how a network with IPv6 alone reaches IPv4: what counts is inside
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is6() && !g.public6.Contains(a) {
		return false
	}
	for _, p := range g.refused {
		if p.Contains(a) {
			return false
		}
	}
	return a.IsValid()
}
