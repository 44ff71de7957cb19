package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"gorm.io/gorm"
)

// migration is a row for each file that was applied.
type migration struct {
	Number int `gorm:"primaryKey"`
	Name   string
	SHA256 string `gorm:"column:sha256"`
}

func (migration) TableName() string { return "migrations" }

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// migrate applies, each in one transaction, the files that are not yet
// applied. It only goes forward: a database that knows a file which we do not
// comes from a newer program and is refused, and so is a file that was
// changed after it was applied.
func migrate(ctx context.Context, d *DB, files fs.FS) error {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	var done []migration
	err = d.Transact(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec(`CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL)`).Error; err != nil {
			return err
		}
		return tx.Order("number").Find(&done).Error
	})
	if err != nil {
		return err
	}
	if len(done) > len(names) {
		return fmt.Errorf("it was made by a newer program: it knows %s", done[len(names)].Name)
	}
	for i, name := range names {
		m := migrationName.FindStringSubmatch(name)
		if m == nil || m[1] != fmt.Sprintf("%04d", i+1) {
			return fmt.Errorf("migration %s is not called %04d_name.sql", name, i+1)
		}
		number, _ := strconv.Atoi(m[1])
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		row := migration{Number: number, Name: name, SHA256: hex.EncodeToString(sum[:])}
		if i < len(done) {
			if done[i] != row {
				return fmt.Errorf("%s was changed after it was applied, or is another than %s", name, done[i].Name)
			}
			continue
		}
		err = d.Transact(ctx, func(tx *gorm.DB) error {
			var now []migration // another process may open it too
			if err := tx.Where("number = ?", number).Find(&now).Error; err != nil || len(now) > 0 && now[0] == row {
				return err
			}
			if err := tx.Exec(string(b)).Error; err != nil {
				return err
			}
			return tx.Create(&row).Error
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
