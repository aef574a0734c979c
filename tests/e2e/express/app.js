// The application of the walkthrough: what a newcomer's first Express project answers, on a port of the system's
// choice. Prints the port once it listens; stops on SIGTERM.
'use strict';

const path = require('path');
const express = require('express');

const app = express();
app.set('views', path.join(__dirname, 'views'));
app.set('view engine', 'pug');
app.use(express.static(path.join(__dirname, 'public')));
app.get('/', (request, response) => response.render('index', { title: 'Express' }));
app.get('/headers', (request, response) => response.json(request.headers));

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.on('SIGTERM', () => process.exit(0));
