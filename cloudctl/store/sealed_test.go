package store

import "testing"

func TestEveryTableWithASecretIsResealed(t *testing.T) {
	s := open(t)
	err := s.View(t.Context(), func(tx *Tx) error {
		var tables []string
		err := tx.g.Raw("SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'sealed' ORDER BY m.name").Scan(&tables).Error
		if err != nil {
			return err
		}
		if len(tables) != len(sealedIn) {
			t.Errorf("%v have secrets, and %v are known", tables, sealedIn)
		}
		for i, name := range tables {
			if i < len(sealedIn) && sealedIn[i].table != name {
				t.Errorf("%s is not %s", sealedIn[i].table, name)
			}
		}
		_, err = tx.Sealed(nil, 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
