package action

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"karri/shared/audit"
	"karri/shared/fault"
	"karri/shared/protocol"
	"karri/shared/sign"
)

// maxBody bounds a request; the largest that EC2 takes is far below.
const maxBody = 1 << 20

// A Door serves services at one address. A form (POST body or query string)
// reaches the service whose version, else whose action, it names. A POST of
// JSON reaches the one in its header X-Amz-Target: SERVICE.Action; parameters
// and answer have the model's member names, an error is {"__type", "message"}.
// So tools that know the manual need one codec for all services. A service
// whose public protocol is JSON has its public target too, under which names,
// times, codes and statuses are the public ones.
type Door struct {
	Services []*Service
	// Who verifies the signature of a request to the named service. The body is
	// in r.Body, whole.
	Who func(r *http.Request, service string) (Caller, error)
	// RequestID names the request in answers and logs.
	RequestID func(r *http.Request) string
	Policy    Policy
	Region    string // that the door is in, for conditions
	Log       *slog.Logger
	// Seen, when there, is told of each request that was answered, for metrics:
	// action is one that the public service knows, or "unknown".
	Seen func(ctx context.Context, service, action, code string)
	// Audit, when there, takes a line for each request.
	Audit func(*audit.Line)
}

// ServeHTTP answers one request. GET /catalog answers all that can be asked, as
// JSON, to anyone: it is the manual.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/catalog" && r.Method == http.MethodGet && r.URL.RawQuery == "" {
		d.serveManual(w)
		return
	}
	v := &visit{door: d, service: d.Services[0], id: d.RequestID(r), start: time.Now()}
	v.request.Dialect = v.service.dialect()
	status, body := v.serve(r)
	kind := "text/xml;charset=UTF-8"
	if v.request.Dialect.IsJSON() {
		kind = "application/x-amz-json-1.1"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Amzn-Requestid", v.id)
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		d.Log.Debug("answer not taken", "request_id", v.id, "err", err)
	}
}

// A visit is one request on its way.
type visit struct {
	door    *Door
	service *Service
	id      string
	start   time.Time
	who     Caller
	request Request
	action  *Action
	on      []Resource
	line    audit.Line // of the audit log
}

func (v *visit) serve(r *http.Request) (int, []byte) {
	out, err := v.ask(r)
	if err == nil {
		var b []byte
		if b, err = v.service.answer(v.action, v.request, v.id, out); err == nil {
			v.audit(r, nil)
			return http.StatusOK, b
		}
	}
	f := fault.Of(err)
	v.audit(r, f)
	return v.service.status(v.request.Dialect, f), v.service.failure(v.request.Dialect, v.id, f)
}

// ask returns the action's answer. A panic in an action is that request's end only.
func (v *visit) ask(r *http.Request) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			v.door.Log.Error("panic", "request_id", v.id, "action", v.request.Action, "panic", p, "stack", string(debug.Stack()))
			err = fault.New(fault.Broken, "InternalError", "An internal error has occurred.")
		}
	}()
	body, err := v.read(r)
	if err != nil {
		return nil, err
	}
	form, err := v.pick(r, body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if a := v.service.actions[v.request.Action]; a != nil && a.Unsigned {
		v.who.SourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	} else if v.who, err = v.door.Who(r, v.service.Name); err != nil {
		v.line.Claimed = sign.Claimed(r.Header.Get("Authorization"), form, r.URL.Query())
		return nil, err
	}
	v.who.RequestID = v.id
	v.request.Facts = Facts{SourceIP: v.who.SourceIP, Secure: r.TLS != nil, UserAgent: r.UserAgent(), At: v.start, Region: v.door.Region}
	if err := v.parse(form, body); err != nil {
		return nil, err
	}
	v.action, v.on, out, err = v.service.Do(audit.With(r.Context(), &v.line), v.who, v.door.Policy, v.request)
	return out, err
}

func (v *visit) read(r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return nil, fault.New(fault.Invalid, "InvalidRequest", "The method is neither GET nor POST.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, fault.New(fault.Invalid, "RequestEntityTooLarge", "The request is longer than %d bytes.", maxBody)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "IncompleteBody", "The request ended early.").Because(err)
	}
	return body, nil
}

// pick finds the service and names the action, before the sender is known.
func (v *visit) pick(r *http.Request, body []byte) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && strings.Contains(kind, "json") && r.Method == http.MethodPost { // version 2 signs the query of a GET, not its headers
		target := r.Header.Get("X-Amz-Target")
		i := strings.LastIndexByte(target, '.')
		v.request.Dialect, v.request.Action = protocol.JSON, target[i+1:]
		for _, s := range v.door.Services {
			switch prefix := target[:max(i, 0)]; {
			case prefix == s.Name:
				v.service = s
				return nil, nil
			case prefix != "" && (prefix == s.Model.Target || strings.HasSuffix(s.Model.Target, "."+prefix)): // some clients leave the beginning away
				v.service, v.request.Dialect = s, protocol.AWSJSON
				return nil, nil
			}
		}
		v.request.Action = ""
		return nil, fault.New(fault.Invalid, "UnknownOperationException", "X-Amz-Target is not SERVICE.Action.")
	}
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err == nil && r.Method == http.MethodPost {
		var more url.Values
		more, err = url.ParseQuery(string(body))
		for name, values := range more {
			form[name] = append(form[name], values...)
		}
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "MalformedQueryString", "The query string is malformed.")
	}
	v.request.Action, v.request.Version = form.Get("Action"), form.Get("Version")
	v.service = v.door.serviceOf(v.request.Action, v.request.Version)
	v.request.Dialect = v.service.dialect()
	return form, nil
}

// serviceOf returns the service of exactly that version, else the one that has
// such an action, else the first.
func (d *Door) serviceOf(action, version string) *Service {
	for _, s := range d.Services {
		if s.Model.Version == version {
			return s
		}
	}
	for _, s := range d.Services {
		if s.Model.Target == "" && (s.actions[action] != nil || s.Model.Known[action]) {
			return s
		}
	}
	return d.Services[0]
}

var versionForm = regexp.MustCompile(`^20\d\d-[01]\d-[0-3]\d$`)

func (v *visit) parse(form url.Values, body []byte) (err error) {
	if v.request.Dialect.IsJSON() {
		v.request.Params, err = protocol.ParseJSON(body)
		return err
	}
	if ver := v.request.Version; ver != "" && (!versionForm.MatchString(ver) || ver > v.service.Model.Version) {
		v.request.Version = ""
		return fault.New(fault.Invalid, "NoSuchVersion", "The requested version of service %s does not exist.", v.service.Name)
	}
	for _, name := range []string{"Action", "Version"} {
		if len(form[name]) > 1 {
			return fault.New(fault.Invalid, "InvalidParameterCombination", "The parameter %s is given more than once.", name)
		}
	}
	v.request.Params, err = protocol.ParseForm(form, func(name string) bool {
		return name == "Action" || name == "Version" || sign.Parameter(name)
	})
	return err
}

// audit writes one line for each request: who asked what of which, and the
// outcome. Our own trouble is logged with its cause, once, here.
func (v *visit) audit(r *http.Request, f *fault.Fault) {
	code, level := "ok", slog.LevelInfo
	took := time.Since(v.start)
	name := "unknown" // never what any sender wrote: logs and metrics have bounds
	if v.service.actions[v.request.Action] != nil || v.service.Model.Known[v.request.Action] {
		name = v.request.Action
	}
	attrs := []slog.Attr{
		slog.String("request_id", v.id), slog.String("service", v.service.Name), slog.String("action", name),
		slog.String("account", v.who.Account), slog.String("arn", v.who.ARN), slog.String("access_key", v.who.AccessKey),
		slog.String("source", cmp.Or(v.who.SourceIP, r.RemoteAddr)), slog.Duration("took", took),
	}
	if f != nil {
		code = f.Code
		attrs = append(attrs, slog.String("text", f.Text))
		if f.Kind == fault.Broken || f.Kind == fault.Later {
			level = slog.LevelError
			attrs = append(attrs, slog.Any("err", f.Err))
		}
	}
	if len(v.on) > 0 {
		attrs = append(attrs, slog.Any("on", arns(v.on)))
	}
	v.door.Log.LogAttrs(context.WithoutCancel(r.Context()), level, "audit", append(attrs, slog.String("code", code))...)
	v.note(r, name, f)
	if v.door.Seen != nil {
		v.door.Seen(r.Context(), v.service.Name, name, code)
	}
}

// note writes the request into the audit log.
func (v *visit) note(r *http.Request, name string, f *fault.Fault) {
	if v.door.Audit == nil {
		return
	}
	l := &v.line
	l.Time, l.Service, l.Action, l.RequestID, l.Agent = v.start, v.service.Name, name, v.id, r.UserAgent()
	l.Account, l.ARN, l.ID, l.AccessKey, l.Source = v.who.Account, v.who.ARN, v.who.UserID, v.who.AccessKey, v.who.SourceIP
	l.On = arns(v.on)
	if l.Source == "" {
		l.Source, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	if v.action != nil {
		l.Read = v.action.Reads()
	}
	if l.ARN != "" {
		l.Auth, l.Kind = "signature", "root"
	}
	if v.who.Rights != nil {
		l.Know(v.who.Rights.Identity)
	}
	if f != nil {
		l.Code, l.Text = f.Code, f.Text
	}
	v.door.Audit(l)
}

func arns(on []Resource) []string {
	out := make([]string, min(len(on), 20))
	for i := range out {
		out[i] = on[i].ARN
	}
	return out
}
