package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// objectOf is a JSON object of exactly that many bytes, with as many values in
// it as a large document has.
func objectOf(size int) []byte {
	var b bytes.Buffer
	b.Grow(size)
	b.WriteString(`{"ref":"refs/heads/main","repository":{"full_name":"octo/hello"},"commits":[`)
	for i := 0; b.Len() < size-200; i++ {
		fmt.Fprintf(&b, `{"id":"%040x","message":"Say \"how\" to run it","added":[],"modified":["README.md"]},`, i)
	}
	b.WriteString(`0],"rest":"`)
	b.WriteString(strings.Repeat("x", size-b.Len()-2))
	b.WriteString(`"}`)
	return b.Bytes()
}

// gzipOf is the gzip of a block, so many times, in one stream and without ever
// having it all: what the second block is compressed to goes for all that follow.
func gzipOf(block []byte, times int) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	var ends []int
	for range 2 {
		if _, err := w.Write(block); err != nil {
			return nil, err
		}
		if err := w.Flush(); err != nil {
			return nil, err
		}
		ends = append(ends, packed.Len())
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	all := packed.Bytes()
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255} // the header as RFC 1952 has it: deflate, no flags, no time
	out = append(out, all[:ends[0]]...)
	sum := crc32.ChecksumIEEE(block)
	for range times - 1 {
		out = append(out, all[ends[0]:ends[1]]...)
		sum = crc32.Update(sum, crc32.IEEETable, block)
	}
	out = append(out, all[ends[1]:]...)
	out = binary.LittleEndian.AppendUint32(out, sum)
	return binary.LittleEndian.AppendUint32(out, uint32(len(block)*times)), nil // the format has the size modulo 2³²
}

func gzipText(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// bombBlocks is how large the bombs are that are compressed in full, in blocks of
// a megabyte. The receiver gives up after a quarter of it.
const bombBlocks = 64

func brotliBomb() ([]byte, error) {
	var b bytes.Buffer
	w := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: 2, LGWin: 24})
	for range bombBlocks {
		if _, err := w.Write(zeros); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func zstdBomb() ([]byte, error) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	for range bombBlocks {
		if _, err := w.Write(zeros); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

const multipartType = "multipart/form-data; boundary=frontier"

// multipartOf is an e-mail with a large attachment, as a mail service forwards it.
func multipartOf(size int) []byte {
	var b bytes.Buffer
	b.Grow(size)
	b.WriteString("--frontier\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\nHello\r\n" +
		"--frontier\r\nContent-Disposition: form-data; name=\"attachment1\"; filename=\"scan.pdf\"\r\nContent-Type: application/pdf\r\n\r\n")
	const tail = "\r\n--frontier--\r\n"
	for i := 0; b.Len() < size-len(tail); i++ {
		b.WriteByte(byte(i*i>>3 + i)) // bytes of all kinds
	}
	b.WriteString(tail)
	return b.Bytes()
}

// formBody has as many fields as are taken for fields, with letters that are
// percent-encoded.
func formBody() []byte {
	const fields = 9_900
	var b bytes.Buffer
	value := strings.Repeat("caf%C3%A9+", (heaviest/fields-20)/10)
	for i := range fields {
		fmt.Fprintf(&b, "field%d=%s&", i, value)
	}
	b.WriteString("last=1")
	return b.Bytes()
}

// xmlBody has nearly as many elements and attributes as are taken for such.
func xmlBody() []byte {
	const orders = 19_000 // of five each
	var b bytes.Buffer
	text := strings.Repeat("Ada &amp; Co ", (heaviest/orders-120)/13)
	b.WriteString(`<?xml version="1.0"?><orders>`)
	for i := range orders {
		fmt.Fprintf(&b, `<order id="%d" state="paid"><name>%s</name><total>%d</total></order>`, i, text, i)
	}
	b.WriteString(`</orders>`)
	return b.Bytes()
}
