package charset

import (
	"strings"
	"sync"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// charsets are those of the Encoding Standard (encoding.spec.whatwg.org, read
// 2026-11-25) by all their names, but for UTF-8 and what it replaces. The package
// htmlindex has them too, and brings tables of the world's languages along: they
// were a twentieth of the receiver's start. The map is made when one is first named.
var charsets = sync.OnceValue(func() map[string]encoding.Encoding {
	byName := map[string]encoding.Encoding{}
	for _, c := range []struct {
		names string
		encoding.Encoding
	}{
		{"iso-8859-1 latin1 l1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 csisolatin1 iso-ir-100 ibm819 cp819 " +
			"windows-1252 cp1252 x-cp1252 ascii us-ascii ansi_x3.4-1968", charmap.Windows1252},
		{"iso-8859-15 l9 iso8859-15 iso885915 iso_8859-15 csisolatin9", charmap.ISO8859_15},
		{"windows-1250 cp1250 x-cp1250", charmap.Windows1250},
		{"windows-1251 cp1251 x-cp1251", charmap.Windows1251},
		{"windows-1253 cp1253 x-cp1253", charmap.Windows1253},
		{"windows-1254 cp1254 x-cp1254 " +
			"iso-8859-9 latin5 l5 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 csisolatin5 iso-ir-148", charmap.Windows1254},
		{"windows-1255 cp1255 x-cp1255", charmap.Windows1255},
		{"windows-1256 cp1256 x-cp1256", charmap.Windows1256},
		{"windows-1257 cp1257 x-cp1257", charmap.Windows1257},
		{"windows-1258 cp1258 x-cp1258", charmap.Windows1258},
		{"windows-874 dos-874 tis-620 iso-8859-11 iso8859-11 iso885911", charmap.Windows874},
		{"iso-8859-2 latin2 l2 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 csisolatin2 iso-ir-101", charmap.ISO8859_2},
		{"iso-8859-3 latin3 l3 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 csisolatin3 iso-ir-109", charmap.ISO8859_3},
		{"iso-8859-4 latin4 l4 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 csisolatin4 iso-ir-110", charmap.ISO8859_4},
		{"iso-8859-5 cyrillic iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 csisolatincyrillic iso-ir-144", charmap.ISO8859_5},
		{"iso-8859-6 arabic asmo-708 ecma-114 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 csisolatinarabic iso-ir-127 " +
			"iso-8859-6-e csiso88596e iso-8859-6-i csiso88596i", charmap.ISO8859_6},
		{"iso-8859-7 greek greek8 ecma-118 elot_928 sun_eu_greek iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 csisolatingreek " +
			"iso-ir-126", charmap.ISO8859_7},
		{"iso-8859-8 hebrew visual iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 csisolatinhebrew iso-ir-138 " +
			"iso-8859-8-e csiso88598e", charmap.ISO8859_8},
		{"iso-8859-8-i csiso88598i logical", charmap.ISO8859_8I},
		{"iso-8859-10 latin6 l6 iso8859-10 iso885910 csisolatin6 iso-ir-157", charmap.ISO8859_10},
		{"iso-8859-13 iso8859-13 iso885913", charmap.ISO8859_13},
		{"iso-8859-14 iso8859-14 iso885914", charmap.ISO8859_14},
		{"iso-8859-16", charmap.ISO8859_16},
		{"ibm866 cp866 866 csibm866", charmap.CodePage866},
		{"koi8-r koi8_r koi8 koi cskoi8r", charmap.KOI8R},
		{"koi8-u koi8-ru", charmap.KOI8U},
		{"macintosh mac csmacintosh x-mac-roman", charmap.Macintosh},
		{"x-mac-cyrillic x-mac-ukrainian", charmap.MacintoshCyrillic},
		{"x-user-defined", charmap.XUserDefined},
		{"shift_jis shift-jis sjis x-sjis csshiftjis ms_kanji ms932 windows-31j", japanese.ShiftJIS},
		{"euc-jp x-euc-jp cseucpkdfmtjapanese", japanese.EUCJP},
		{"iso-2022-jp csiso2022jp", japanese.ISO2022JP},
		{"euc-kr cseuckr korean windows-949 ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 csksc56011987 iso-ir-149", korean.EUCKR},
		{"gbk x-gbk gb2312 gb_2312 gb_2312-80 csgb2312 chinese csiso58gb231280 iso-ir-58", simplifiedchinese.GBK},
		{"gb18030", simplifiedchinese.GB18030},
		{"big5 big5-hkscs cn-big5 csbig5 x-x-big5", traditionalchinese.Big5},
		{"utf-16be unicodefffe", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		{"utf-16le utf-16 unicode unicodefeff csunicode iso-10646-ucs-2 ucs-2", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	} {
		for name := range strings.FieldsSeq(c.names) {
			byName[name] = c.Encoding
		}
	}
	return byName
})
