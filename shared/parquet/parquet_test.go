package parquet_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	reference "github.com/parquet-go/parquet-go"

	"pushpull/shared/parquet"
)

// row is what the reference makes of one.
type row struct {
	Text *string    `parquet:"text,optional"`
	Time *time.Time `parquet:"time,optional,timestamp(microsecond)"`
	Flag *bool      `parquet:"flag,optional"`
}

func TestWhatIsWrittenAnotherReads(t *testing.T) {
	t.Parallel()
	begin := time.Date(1969, 12, 31, 23, 59, 59, 123456000, time.UTC)
	texts := func(i int) *string { return new(fmt.Sprint("é ", i)) }
	times := func(i int) time.Time { return begin.Add(time.Duration(i) * time.Hour) }
	flags := func(i int) bool { return i%3 == 0 }
	for _, test := range []struct {
		name string
		rows int
		text func(int) *string
		time func(int) time.Time
	}{
		{"one row", 1, texts, times},
		{"as many flags as a byte has", 8, texts, times},
		{"one more", 9, texts, times},
		{"nulls only", 20, func(int) *string { return nil }, func(int) time.Time { return time.Time{} }},
		{"nulls here and there", 1000, func(i int) *string {
			if i%7 < 3 {
				return nil
			}
			return texts(i)
		}, func(i int) time.Time {
			if i%2 == 0 {
				return time.Time{}
			}
			return times(i)
		}},
		{"empty texts, which are no nulls", 5, func(int) *string { return new("") }, times},
		{"nulls in long runs", 5000, func(i int) *string {
			if i < 3000 {
				return nil
			}
			return texts(i)
		}, times},
	} {
		for name, codec := range map[string]parquet.Codec{"none": parquet.None, "gzip": parquet.Gzip, "zstd": parquet.Zstd} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				t.Parallel()
				file, err := parquet.Write(codec, test.rows,
					parquet.Text("text", test.rows, test.text), parquet.Time("time", test.rows, test.time), parquet.Flag("flag", test.rows, flags))
				if err != nil {
					t.Fatal(err)
				}
				want := make([]row, test.rows)
				for i := range want {
					want[i] = row{Text: test.text(i), Flag: new(flags(i))}
					if at := test.time(i); !at.IsZero() {
						want[i].Time = &at
					}
				}
				got, err := reference.Read[row](bytes.NewReader(file), int64(len(file)))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}
