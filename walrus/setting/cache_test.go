package setting

import (
	"testing"

	"karri/shared/fault"
	"karri/walrus/index"
)

func TestCache(t *testing.T) {
	var c Cache
	cors := sample{"CORSConfiguration", corsGood, ""}.doc()
	first, err := c.Of(&index.Bucket{Name: "b", Revision: 1, Settings: map[string][]byte{"cors": []byte(cors)}})
	if err != nil || first.CORS == nil || first.Lock != nil {
		t.Fatal(first, err)
	}
	if again, _ := c.Of(&index.Bucket{Name: "b", Revision: 1}); again != first {
		t.Error("read again")
	}
	if changed, err := c.Of(&index.Bucket{Name: "b", Revision: 2, Locked: true}); err != nil || changed.CORS != nil || changed.Lock == nil {
		t.Error(changed, err)
	}
	if _, err := c.Of(&index.Bucket{Name: "b", Revision: 3, Settings: map[string][]byte{"cors": []byte("<x")}}); fault.KindOf(err) != fault.Broken || err == nil {
		t.Error("damage is served: ", err)
	}
	for i := range maxCached + 10 {
		if _, err := c.Of(&index.Bucket{Name: string(rune(i)), Revision: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.all) > maxCached {
		t.Error(len(c.all), "are kept")
	}
}
