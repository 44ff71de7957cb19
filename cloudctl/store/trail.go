package store

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"karri/shared/db"
)

//go:embed trail/*.sql
var trailMigrations embed.FS

// An Index is the database of what the daemons of the cloud wrote into their
// audit logs, for searches. It is a file of its own, so that it does not grow
// the records.
type Index struct{ d *db.DB }

// OpenIndex opens the index in the file at path, made if need be.
func OpenIndex(ctx context.Context, path string) (*Index, error) {
	files, err := fs.Sub(trailMigrations, "trail")
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, path, files)
	if err != nil {
		return nil, err
	}
	return &Index{d}, nil
}

// Close ends the index.
func (x *Index) Close() { x.d.Close() }

// An AuditLine is a line of an audit log.
type AuditLine struct {
	N       int64  `gorm:"primaryKey"` // its place in the index
	Log     string // the log's id
	Seq     int64
	At      int64  // microseconds since 1970
	Event   string // its id, made of log and number
	Account string
	Name    string // of the user, or of the session of a role
	Key     string
	Source  string // the service: ec2.amazonaws.com
	Action  string
	Reads   bool
	Code    string
	Request string
	Body    []byte // as it is in the log

	Resources []AuditResource `gorm:"foreignKey:N;references:N"`
}

// TableName names the table.
func (AuditLine) TableName() string { return "audit_lines" }

// An AuditResource is something that a line is about.
type AuditResource struct {
	N    int64  `gorm:"primaryKey"`
	Name string `gorm:"primaryKey"`
	Kind string // AWS::EC2::Instance
}

// TableName names the table.
func (AuditResource) TableName() string { return "audit_resources" }

// An AuditHead is how far a log was taken over.
type AuditHead struct {
	Log     string `gorm:"primaryKey"`
	Daemon  string
	Seq     int64
	Hash    string
	Problem string // found since: lines that were seen are gone
	Seen    time.Time
}

// TableName names the table.
func (AuditHead) TableName() string { return "audit_heads" }

// Add writes lines of a log and how far it was read, both or nothing. Lines
// that are there already stay as they are.
func (x *Index) Add(ctx context.Context, head AuditHead, lines []AuditLine) error {
	return x.d.Transact(ctx, func(g *gorm.DB) error {
		for i := range lines {
			l := lines[i]
			on := l.Resources
			l.Resources = nil
			made := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&l)
			if made.Error != nil {
				return made.Error
			}
			if made.RowsAffected == 0 {
				continue
			}
			for _, r := range on {
				r.N = l.N
				if err := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&r).Error; err != nil {
					return err
				}
			}
		}
		return g.Clauses(clause.OnConflict{UpdateAll: true}).Create(&head).Error
	})
}

// Heads returns how far each log was taken over.
func (x *Index) Heads(ctx context.Context) (all []AuditHead, err error) {
	err = x.d.Read(ctx, func(g *gorm.DB) error {
		all, err = many[AuditHead](g, "daemon, log")
		return err
	})
	return all, err
}

// HeadsOf returns how far the logs of a daemon were taken over.
func (x *Index) HeadsOf(ctx context.Context, daemon string) (all []AuditHead, err error) {
	err = x.d.Read(ctx, func(g *gorm.DB) error {
		all, err = many[AuditHead](g.Where("daemon = ?", daemon), "log")
		return err
	})
	return all, err
}

// Head returns how far a log was taken over, nil when it is not known.
func (x *Index) Head(ctx context.Context, log string) (h *AuditHead, err error) {
	err = x.d.Read(ctx, func(g *gorm.DB) error {
		all, err := many[AuditHead](g.Where("log = ?", log), "log")
		if len(all) > 0 {
			h = &all[0]
		}
		return err
	})
	return h, err
}

// A Search says which lines are wanted; what is zero does not matter.
type Search struct {
	Account                                   string // "": of all
	Event, Action, Name, Key, Source, Request string
	Code                                      string // "*": any refusal or failure
	Resource, Kind                            string
	Reads                                     *bool
	From, To                                  time.Time // both included
	BeforeAt, BeforeN                         int64     // lines older than this one; 0: all
	Max                                       int
}

// Find returns lines, the newest first, with their resources.
func (x *Index) Find(ctx context.Context, s Search) (all []AuditLine, err error) {
	err = x.d.Read(ctx, func(g *gorm.DB) error {
		q := g.Preload("Resources")
		for column, value := range map[string]string{"account": s.Account, "event": s.Event, "action": s.Action, "name": s.Name,
			"key": s.Key, "source": s.Source, "request": s.Request} {
			if value != "" {
				q = q.Where(column+" = ?", value)
			}
		}
		switch {
		case s.Code == "*":
			q = q.Where("code <> ''")
		case s.Code != "":
			q = q.Where("code = ?", s.Code)
		}
		if s.Reads != nil {
			q = q.Where("reads = ?", *s.Reads)
		}
		if s.Resource != "" {
			q = q.Where("n IN (SELECT n FROM audit_resources WHERE name = ?)", s.Resource)
		}
		if s.Kind != "" {
			q = q.Where("n IN (SELECT n FROM audit_resources WHERE kind = ?)", s.Kind)
		}
		if !s.From.IsZero() {
			q = q.Where("at >= ?", s.From.UnixMicro())
		}
		if !s.To.IsZero() {
			q = q.Where("at <= ?", s.To.UnixMicro())
		}
		if s.BeforeAt > 0 {
			q = q.Where("at < ? OR at = ? AND n < ?", s.BeforeAt, s.BeforeAt, s.BeforeN)
		}
		if s.Max > 0 {
			q = q.Limit(s.Max)
		}
		all, err = many[AuditLine](q, "at DESC, n DESC")
		return err
	})
	return all, err
}

// Behind returns up to max lines of an account from a place on, in the order
// in which they were taken over, with their resources.
func (x *Index) Behind(ctx context.Context, account string, after, upTo int64, max int) (all []AuditLine, err error) {
	err = x.d.Read(ctx, func(g *gorm.DB) error {
		q := g.Preload("Resources").Where("account = ? AND n > ?", account, after).Limit(max)
		if upTo > 0 {
			q = q.Where("n <= ?", upTo)
		}
		all, err = many[AuditLine](q, "n")
		return err
	})
	return all, err
}

// Place is the place of the newest line.
func (x *Index) Place(ctx context.Context) (n int64, err error) {
	err = x.d.Read(ctx, func(g *gorm.DB) error {
		return g.Model(&AuditLine{}).Select("COALESCE(MAX(n), 0)").Scan(&n).Error
	})
	return n, err
}

// Prune forgets up to max lines that are older than a time, and returns how
// many they were.
func (x *Index) Prune(ctx context.Context, before time.Time, max int) (int, error) {
	var n int64
	err := x.d.Transact(ctx, func(g *gorm.DB) error {
		r := g.Exec("DELETE FROM audit_lines WHERE n IN (SELECT n FROM audit_lines WHERE at < ? ORDER BY at LIMIT ?)", before.UnixMicro(), max)
		n = r.RowsAffected
		return r.Error
	})
	return int(n), err
}
