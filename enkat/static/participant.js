// One question at a time, and patience on a bad network. The page does all of this without the script too.
// Old phones read this: no syntax later than 2009.
(function () {
  'use strict';
  var speech = window.speechSynthesis;
  function each(parts, act) { Array.prototype.forEach.call(parts, act); }
  function start(step) {
    var form = document.querySelector('form[data-steps]');
    if (!form) return;
    var items = form.querySelectorAll('.item');
    var send = form.querySelector('button[type=submit]');
    var last = form.querySelector('.send');
    var status = form.querySelector('.status');
    var steps = !document.querySelector('.faults') && items.length > 1;
    var at = 0, wait = 3000, waiting = null, busy = false;
    var fill, back, next;

    function say(name) { return form.getAttribute('data-' + name); }

    function make(kind, name, parent, before) {
      var made = document.createElement(kind);
      made.className = name;
      made.type = kind;
      return parent.insertBefore(made, before || null);
    }

    function hush() { if (speech) speech.cancel(); }

    function show(step, isMove) {
      at = step;
      hush();
      each(items, function (item, number) { item.hidden = number !== at; });
      document.querySelector('.intro').hidden = at > 0;
      back.hidden = at === 0;
      next.hidden = at === items.length - 1;
      last.hidden = at !== items.length - 1;
      fill.style.width = 100 * (at + 1) / items.length + '%';
      if (!isMove) return;
      window.scrollTo(0, 0);
      focus(items[at].querySelector('legend, label'));
    }

    function focus(title) {
      title.tabIndex = -1;
      title.focus();
    }

    function byStep() {
      fill = make('span', '', make('div', 'progress', form, items[0]));
      var row = make('div', 'send steps', form, last);
      each([-1, 1], function (move) {
        var made = make('button', move < 0 ? 'button quiet' : 'button', row);
        made.textContent = say(move < 0 ? 'back' : 'next');
        made.onclick = function () { show(at + move, true); };
        if (move < 0) back = made; else next = made;
      });
      show(step || 0, step);
    }

    // Only a voice that says it is the phone's own: with the others each question would go to a server to be read.
    function listen() {
      var voice = speech.getVoices().filter(function (one) {
        return one.localService && one.lang.split(/[-_]/)[0] === document.documentElement.lang;
      })[0];
      if (voice && !form.querySelector('.listen')) each(document.querySelectorAll('.intro, .item'), function (item) {
        var button = make('button', '', item, item.children[1]), isOn = true;
        function turn() {
          isOn = !isOn;
          button.className = isOn ? 'listen on' : 'listen';
          button.textContent = say(isOn ? 'hush' : 'listen');
        }
        turn();
        button.onclick = function () {
          var text = [];
          hush();
          turn();
          if (!isOn) return;
          each(item.querySelectorAll('legend, label, h1, p:not([aria-live])'), function (part) {
            text.push(part.lastChild.textContent);
          });
          var words = new window.SpeechSynthesisUtterance(text.join('\n'));
          words.voice = voice;
          words.lang = voice.lang;
          words.onend = words.onerror = function () { if (isOn) turn(); };
          speech.speak(words);
        };
      });
    }

    function replace(html, more) {
      var page = new DOMParser().parseFromString(html, 'text/html'), root = document.documentElement;
      if (!page.querySelector('main + .foot') || more && !page.querySelector('form[data-steps]')) throw page;
      document.title = page.title;
      root.lang = page.documentElement.lang;
      root.dir = page.documentElement.dir;
      root.replaceChild(document.adoptNode(page.body), document.body);
      window.scrollTo(0, 0);
      hush();
      // What was written is not to be held in memory by what listens on.
      if (speech) speech.onvoiceschanged = null;
      window.ononline = null;
      start(more && at);
      if (!more) focus(document.querySelector('.faults') || document.querySelector('h1'));
    }

    function fields() { return String(new URLSearchParams(new FormData(form))); }

    function post(to, more, failed) {
      var body = fields();
      busy = true;
      window.fetch(to, {
        method: 'POST', credentials: 'omit', body: body + more,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' }
      }).then(function (reply) { return reply.text(); }).then(function (html) {
        // Written on meanwhile: the page would take it back.
        if (more && body !== fields()) post(to, more, failed);
        else replace(html, more);
      }).catch(function () {
        busy = false;
        failed();
      });
    }

    function again() {
      window.clearTimeout(waiting);
      if (busy) {
        waiting = window.setTimeout(again, 300);
        return;
      }
      send.disabled = true;
      status.textContent = say('sending');
      post(form.action, '', function () {
        send.disabled = false;
        status.textContent = say('waiting');
        waiting = window.setTimeout(again, wait);
        wait = Math.min(wait * 2, 30000);
      });
    }

    function isOld() {
      // Where FormData cannot be gone through, the parameters are made of nothing.
      try { return !/submission=\w/.test(fields()) || !window.fetch || !window.DOMParser; } catch (old) { return true; }
    }

    form.onsubmit = function (event) {
      if (steps && at < items.length - 1) {
        event.preventDefault();
        show(at + 1, true);
      } else if (!isOld()) {
        event.preventDefault();
        window.ononline = again;
        if (!busy || !waiting) again();
      }
    };

    // Another language, with all that is filled in so far; not while it is being sent.
    each(document.querySelectorAll('.bar li a'), function (link) {
      link.onclick = function (event) {
        if (isOld()) return;
        event.preventDefault();
        if (!busy && !waiting) post(link.href, '&lang=' + link.lang, function () {
          if (!link.nextSibling) make('p', 'small', link.parentNode).setAttribute('role', 'status');
          link.nextSibling.textContent = say('retry');
        });
      };
    });

    each(form.querySelectorAll('textarea'), function (text) {
      var named = text.parentNode.querySelector('.named'), left = text.parentNode.querySelector('.left'), typing;
      text.oninput = function () {
        // Two capitalised words in a row, a number or an address: a gentle word, and nothing is held up.
        var points = /[A-Z\xc0-\xde][a-z\xdf-\xff]+ [A-Z\xc0-\xde][a-z\xdf-\xff]+|[+\d][\d -]{6,}\d|\S@\S/.test(text.value);
        named.textContent = points ? named.getAttribute('data-named') : '';
        // Said when the fingers rest, so that nobody has to listen to each number.
        window.clearTimeout(typing);
        typing = window.setTimeout(function () {
          var rest = text.maxLength - text.value.length;
          left.textContent = rest < 500 ? say('left') + ' ' + rest : '';
        }, 400);
      };
    });
    if (steps) byStep();
    if (speech) {
      listen();
      speech.onvoiceschanged = listen;
      window.onpagehide = hush;
    }
  }
  start();
})();
