package s3_test

import (
	"testing"

	"karri/walrus/index"
	"karri/walrus/setting"
)

// TestADamagedSettingIsMendedByItsOwner holds that a bucket whose settings
// cannot be read is closed to everybody, and that its owner opens it again.
func TestADamagedSettingIsMendedByItsOwner(t *testing.T) {
	list := setting.InventoryName("list")
	for name, mend := range map[string]string{"policy": "policy", "cors": "cors", list: "inventory&id=list"} {
		w := versioned(t)
		w.put(t, "k", "x")
		if _, err := w.index.UpdateBucket(t.Context(), "pond", func(b *index.Bucket) error { b.Settings[name] = []byte("<x"); return nil }); err != nil {
			t.Fatal(err)
		}
		w.refuses(t, "InternalError", "GET", "/pond/k", "")
		w.refuses(t, "InternalError", "GET", "/pond?website", "")
		w.refuses(t, "InternalError", "DELETE", "/pond?website", "")
		w.refuses(t, "InternalError", "DELETE", "/pond?"+mend, "", "Test-Account: 222222222222")
		w.wants(t, 204, "DELETE", "/pond?"+mend, "")
		w.wants(t, 200, "GET", "/pond/k", "")
	}
}
