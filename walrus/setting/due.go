package setting

import "time"

// Facts are what a lifecycle asks about an object, a version or a delete marker.
type Facts struct {
	Key      string
	Size     int64
	Tags     []Tag
	Modified time.Time // when it was made
	Marker   bool
	// Of the current one of a key: whether there is no other version.
	Alone bool
	// Of one that is not current: when it stopped being so (the next newer one
	// was made), and how many noncurrent ones of the key are newer.
	Noncurrent bool
	Since      time.Time
	Newer      int
}

// A Due is what a lifecycle wants of an object.
type Due int

// What can be due.
const (
	Nothing Due = iota
	Expire      // the current object ends as by DeleteObject without a version
	Remove      // this version, or this delete marker, ends for good
)

// midnight is S3's rounding: days after an instant, up to the next midnight UTC.
func midnight(from time.Time, days int) time.Time {
	const day = 24 * time.Hour
	t := from.UTC().AddDate(0, 0, days)
	if m := t.Truncate(day); m.Before(t) {
		return m.Add(day)
	}
	return t
}

// Due returns what is due at an instant, and the rule that says so.
func (l *Lifecycle) Due(f Facts, now time.Time) (due Due, rule string) {
	if l == nil {
		return Nothing, ""
	}
	for i := range l.Rules {
		if d := l.Rules[i].due(f, now); d != Nothing {
			return d, l.Rules[i].ID
		}
	}
	return Nothing, ""
}

func (r *LifecycleRule) due(f Facts, now time.Time) Due {
	size := f.Size
	if f.Marker {
		size = -1
	}
	if r.Status != Enabled || !r.filter().matches(f.Key, size, f.Tags) {
		return Nothing
	}
	switch {
	case f.Noncurrent:
		if n := r.Noncurrent; n != nil && !now.Before(midnight(f.Since, *n.NoncurrentDays)) && (n.NewerNoncurrentVersions == nil || f.Newer >= *n.NewerNoncurrentVersions) {
			return Remove
		}
	case r.Expiration == nil:
	case f.Marker:
		if f.Alone && r.Expiration.marker(f.Modified, now) {
			return Remove
		}
	default:
		if at, ok := r.Expiration.at(f.Modified); ok && !now.Before(at) {
			return Expire
		}
	}
	return Nothing
}

// at returns when an object of an age expires.
func (e *Expiration) at(modified time.Time) (time.Time, bool) {
	switch {
	case e.Days != nil:
		return midnight(modified, *e.Days), true
	case e.Date != nil:
		return e.Date.Time, true
	}
	return time.Time{}, false
}

// marker reports whether a delete marker that hides nothing has to go: at once
// where that was asked for, else when an object of its age would.
func (e *Expiration) marker(modified, now time.Time) bool {
	if e.ExpiredObjectDeleteMarker != nil {
		return *e.ExpiredObjectDeleteMarker
	}
	at, ok := e.at(modified)
	return ok && !now.Before(at)
}

// Expires returns when the current object will expire, and by which rule: the
// header x-amz-expiration.
func (l *Lifecycle) Expires(f Facts) (at time.Time, rule string, ok bool) {
	if l == nil || f.Noncurrent || f.Marker {
		return at, "", false
	}
	for i := range l.Rules {
		r := &l.Rules[i]
		if r.Status != Enabled || r.Expiration == nil || !r.filter().matches(f.Key, f.Size, f.Tags) {
			continue
		}
		if t, has := r.Expiration.at(f.Modified); has && (!ok || t.Before(at)) {
			at, rule, ok = t, r.ID, true
		}
	}
	return at, rule, ok
}

// UploadDue reports whether an upload is to be aborted.
func (l *Lifecycle) UploadDue(key string, initiated, now time.Time) bool {
	at, _, ok := l.Aborts(key, initiated)
	return ok && !now.Before(at)
}

// Aborts returns when an upload will be aborted, and by which rule: the headers
// x-amz-abort-date and x-amz-abort-rule-id.
func (l *Lifecycle) Aborts(key string, initiated time.Time) (at time.Time, rule string, ok bool) {
	if l == nil {
		return at, "", false
	}
	for i := range l.Rules {
		r := &l.Rules[i]
		if r.Status != Enabled || r.Abort == nil || !r.filter().matches(key, -1, nil) {
			continue
		}
		if t := midnight(initiated, *r.Abort.DaysAfterInitiation); !ok || t.Before(at) {
			at, rule, ok = t, r.ID, true
		}
	}
	return at, rule, ok
}
