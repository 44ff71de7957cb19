package volume

import (
	"strings"
	"testing"
)

const goodMap = `[{ "start": 0, "length": 1048576, "depth": 1, "present": true, "zero": true, "data": false, "offset": 0},
{ "start": 1048576, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, "offset": 327680},
{ "start": 1114112, "length": 983040, "depth": 0, "present": false, "zero": true, "data": false}]`

func TestMapIsRefused(t *testing.T) {
	if _, err := parseMap(strings.NewReader(goodMap), 2, 2<<20); err != nil {
		t.Fatal("a good map is refused:", err)
	}
	for what, text := range map[string]string{
		"empty":           ``,
		"no list":         `{}`,
		"cut off":         goodMap[:len(goodMap)-1],
		"a gap":           strings.Replace(goodMap, `"start": 1114112`, `"start": 1114113`, 1),
		"a layer too low": strings.Replace(goodMap, `"depth": 1`, `"depth": 2`, 1),
		"no place":        strings.Replace(goodMap, `, "offset": 327680`, ``, 1),
		"too short":       `[{"start":0,"length":1048576,"depth":0,"present":true,"zero":true,"data":false}]`,
		"too long":        strings.Replace(goodMap, `983040`, `983041`, 1),
		"no length":       `[{"start":0,"length":0}]`,
		"negative":        `[{"start":0,"length":-5}]`,
		"overflow":        `[{"start":0,"length":9223372036854775807},{"start":9223372036854775807,"length":9223372036854775807}]`,
	} {
		if _, err := parseMap(strings.NewReader(text), 2, 2<<20); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add(goodMap, 2, int64(2<<20))
	f.Add(`[]`, 1, int64(0))
	f.Fuzz(func(t *testing.T, text string, layers int, size int64) {
		extents, err := parseMap(strings.NewReader(text), layers, size)
		if err != nil {
			return
		}
		sum := int64(0)
		for _, e := range extents {
			if e.Start != sum || e.Length <= 0 {
				t.Fatalf("accepted a hole at %d", sum)
			}
			if e.Data && !e.Zero && (e.Depth < 0 || e.Depth >= layers || e.Offset < 0) {
				t.Fatalf("accepted bytes in no place: %+v", e)
			}
			sum += e.Length
		}
		if sum != size {
			t.Fatalf("accepted %d of %d bytes", sum, size)
		}
	})
}
