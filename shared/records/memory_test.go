package records_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"pushpull/shared/records"
)

// endless is head, then one more so many times, then tail.
func endless(head, more string, times int, tail string) io.Reader {
	return io.MultiReader(strings.NewReader(head), &repeated{text: more, left: len(more) * times}, strings.NewReader(tail))
}

type repeated struct {
	text string
	at   int
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:min(len(r.text), r.at+r.left)])
	r.at = (r.at + n) % len(r.text)
	r.left -= n
	return n, nil
}

const (
	invoice     = `{"id":"evt_1","created":1687000000,"data":{"object":{"amount":1234,"currency":"eur","lines":[1,2,3,{"a":"b"}],"text":"a longer text, \"quoted\" and é"}},"type":"invoice.paid","a":null}`
	invoiceCSV  = "evt_1,1687000000,1234,eur,\"a longer text, \"\"quoted\"\" and é\",invoice.paid\n"
	invoiceHead = "id,created,amount,currency,text,type\n"
	invoiceXML  = `<Event id="evt_1"><Created>1687000000</Created><Object><Amount>1234</Amount><Line>1</Line><Line>2</Line><Text>a longer text &amp; é</Text></Object></Event>`
)

// page is an answer of n records in each format.
func page(format string, n int) (io.Reader, string, records.Options) {
	switch format {
	case "ndjson":
		return endless("", invoice+"\n", n, ""), "", records.Options{Format: "ndjson"}
	case "csv":
		return endless(invoiceHead, invoiceCSV, n, ""), "", records.Options{Format: "csv"}
	case "xml":
		return endless("<Events>", invoiceXML+"\n", n, "</Events>"), "", records.Options{Format: "xml", Path: "Events.Event"}
	case "gzip":
		in, out := io.Pipe()
		go func() {
			z := gzip.NewWriter(out)
			_, err := io.Copy(z, endless("", invoice+"\n", n, ""))
			_ = out.CloseWithError(errors.Join(err, z.Close()))
		}()
		return in, "gzip", records.Options{Format: "ndjson"}
	}
	return endless(`{"object":"list","data":[`+invoice, ","+invoice, n-1, `],"has_more":true}`), "", records.Options{Path: "data"}
}

// TestMemory looks at the whole heap, so it runs alone.
func TestMemory(t *testing.T) { //nolint:paralleltest // so that no other test's heap counts
	const most = 16 << 20
	for _, tt := range []struct {
		format string
		bytes  int
	}{{"json", 200 << 20}, {"ndjson", 20 << 20}, {"csv", 20 << 20}, {"xml", 5 << 20}, {"gzip", 20 << 20}} {
		t.Run(tt.format, func(t *testing.T) {
			n := tt.bytes / len(invoice)
			in, encoding, o := page(tt.format, n)
			r, err := records.Open(in, "", encoding, o)
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			var m runtime.MemStats
			got := 0
			var peak uint64
			for {
				if _, err := r.Next(t.Context()); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if got++; got%1000 == 0 {
					runtime.ReadMemStats(&m)
					peak = max(peak, m.HeapAlloc)
				}
			}
			if got != n || peak > most {
				t.Errorf("%d of %d records, %d MiB at most", got, n, peak>>20)
			}
			t.Logf("%d MB in %d records: %.1f MiB of heap at most", tt.bytes>>20, n, float64(peak)/(1<<20))
		})
	}
}

func BenchmarkRecords(b *testing.B) {
	for _, format := range []string{"json", "ndjson", "csv", "xml", "gzip"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			in, encoding, o := page(format, b.N)
			r, err := records.Open(in, "", encoding, o)
			if err != nil {
				b.Fatal(err)
			}
			for range b.N {
				if _, err := r.Next(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkFeed(b *testing.B) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		got, _, err := all(b, strings.NewReader(rssText), "", "", records.Options{Format: "feed"})
		if err != nil {
			b.Fatal(err)
		}
		n += len(got)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
