package action

import (
	"encoding/json"
	"net/http"
	"strings"

	"karri/shared/fault"
	"karri/shared/protocol"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// answer writes what an action returned.
func (s *Service) answer(a *Action, r Request, requestID string, out any) ([]byte, error) {
	if r.Dialect.IsJSON() {
		if a.Answer == nil {
			return []byte("{}"), nil
		}
		return a.Answer.MarshalIn(r.Dialect, out)
	}
	b := append(make([]byte, 0, 4096), xmlHead...)
	b = append(b, "<"+a.Name+`Response xmlns="`+s.namespace(r.Version)+`">`...)
	var err error
	if r.Dialect == protocol.EC2 {
		b = append(protocol.AppendText(append(b, "<requestId>"...), requestID), "</requestId>"...)
		if b, err = a.members(b, out); err != nil {
			return nil, err
		}
		return append(b, "</"+a.Name+"Response>"...), nil
	}
	wrapper := a.Op.Wrapper
	if wrapper == "" && a.Answer != nil {
		wrapper = a.Name + "Result"
	}
	if wrapper != "" {
		b = append(b, "<"+wrapper+">"...)
		if b, err = a.members(b, out); err != nil {
			return nil, err
		}
		b = append(b, "</"+wrapper+">"...)
	}
	b = protocol.AppendText(append(b, "<ResponseMetadata><RequestId>"...), requestID)
	b = append(b, "</RequestId></ResponseMetadata>"...)
	return append(b, "</"+a.Name+"Response>"...), nil
}

// members appends the answer's members. EC2 says that an action without any
// has been done.
func (a *Action) members(b []byte, out any) ([]byte, error) {
	if a.Answer == nil {
		return append(b, "<return>true</return>"...), nil
	}
	return a.Answer.AppendXML(b, out)
}

// failure writes a fault in the dialect of the request. What lies underneath
// is not told.
func (s *Service) failure(d protocol.Dialect, requestID string, f *fault.Fault) []byte {
	if d.IsJSON() {
		b, err := json.Marshal(map[string]string{"__type": s.code(d, f), "message": f.Text})
		if err != nil {
			return []byte(`{"__type":"InternalError"}`)
		}
		return b
	}
	b := []byte(xmlHead)
	inner := func() {
		b = protocol.AppendText(append(b, "<Code>"...), f.Code)
		b = protocol.AppendText(append(b, "</Code><Message>"...), f.Text)
		b = append(b, "</Message>"...)
	}
	if d == protocol.EC2 {
		b = append(b, "<Response><Errors><Error>"...)
		inner()
		b = protocol.AppendText(append(b, "</Error></Errors><RequestID>"...), requestID)
		return append(b, "</RequestID></Response>"...)
	}
	side := "Sender"
	if s.status(d, f) >= 500 {
		side = "Receiver"
	}
	b = append(b, `<ErrorResponse xmlns="`+s.namespace("")+`"><Error><Type>`+side+"</Type>"...)
	inner()
	b = protocol.AppendText(append(b, "</Error><RequestId>"...), requestID)
	return append(b, "</RequestId></ErrorResponse>"...)
}

// status is what the public service answers for such a fault. EC2 has one for
// nearly all that the sender did wrong; clients go by the code.
func (s *Service) status(d protocol.Dialect, f *fault.Fault) int {
	switch {
	case f == dryRunOperation:
		return http.StatusPreconditionFailed
	case f.Code == "AuthFailure" && d != protocol.AWSJSON:
		return http.StatusUnauthorized
	case f.Code == "ReportNotPresent" || f.Code == "ReportExpired":
		return http.StatusGone
	case f.Code == "RequestEntityTooLarge":
		return http.StatusRequestEntityTooLarge
	case strings.HasPrefix(f.Code, "Insufficient"):
		return http.StatusInternalServerError
	}
	switch f.Kind {
	case fault.Broken:
		return http.StatusInternalServerError
	case fault.Later:
		return http.StatusServiceUnavailable
	}
	if d == protocol.AWSJSON {
		return http.StatusBadRequest
	}
	switch f.Kind {
	case fault.Denied:
		return http.StatusForbidden
	}
	if s.Model.Protocol != "ec2" {
		switch f.Kind {
		case fault.Missing:
			return http.StatusNotFound
		case fault.Conflict, fault.Full:
			return http.StatusConflict
		}
	}
	return http.StatusBadRequest
}
