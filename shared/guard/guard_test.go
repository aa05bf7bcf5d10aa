package guard

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, address string
		want          bool
	}{
		{"a public address", "8.8.8.8", true},
		{"a public IPv6 address", "2606:4700::1111", true},
		{"a public address as IPv6", "::ffff:8.8.8.8", true},
		{"a public address through NAT64", "64:ff9b::808:808", true},
		{"just beyond a private block", "172.32.0.1", true},
		{"this host", "0.0.0.0", false},
		{"loopback", "127.0.0.1", false},
		{"loopback, further up", "127.255.1.1", false},
		{"IPv6 loopback", "::1", false},
		{"unspecified", "::", false},
		{"loopback as IPv6", "::ffff:127.0.0.1", false},
		{"loopback as IPv6 of old", "::127.0.0.1", false},
		{"ten", "10.1.2.3", false},
		{"ten as IPv6", "::ffff:10.1.2.3", false},
		{"private", "172.16.0.1", false},
		{"private, at the end", "172.31.255.255", false},
		{"at home", "192.168.1.1", false},
		{"carriers", "100.64.0.1", false},
		{"metadata", "169.254.169.254", false},
		{"metadata as IPv6", "fd00:ec2::254", false},
		{"metadata through NAT64", "64:ff9b::a9fe:a9fe", false},
		{"metadata through a local NAT64", "64:ff9b:1::a9fe:a9fe", false},
		{"metadata through 6to4", "2002:a9fe:a9fe::1", false},
		{"metadata on a public address", "168.63.129.16", false},
		{"link-local", "fe80::1", false},
		{"link-local with a zone", "fe80::1%eth0", false},
		{"unique local", "fc00::1", false},
		{"site-local", "fec0::1", false},
		{"Teredo", "2001::1", false},
		{"documentation", "2001:db8::1", false},
		{"multicast", "224.0.0.1", false},
		{"IPv6 multicast", "ff02::1", false},
		{"broadcast", "255.255.255.255", false},
		{"benchmarks", "198.18.0.1", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := New().public(netip.MustParseAddr(test.address)); got != test.want {
				t.Errorf("public(%s) = %v, want %v", test.address, got, test.want)
			}
		})
	}
	if New().public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.1.2.3": true, "::1": true, "localhost": true, "LocalHost": true, "api.localhost": true,
		"localhost.example.com": false, "10.0.0.1": false, "0.0.0.0": false, "notlocalhost": false, "": false,
	} {
		if got := Loopback(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
